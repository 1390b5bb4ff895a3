import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readStorageConf } from "../../../core/config/storage-conf.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const silent = { debug() {}, info() {}, warn() {} };

interface Wish {
  readonly files?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly userId?: number;
}

/** Reads what stands in files of a user's own, so that the machine's do not count. */
async function read(workspace: Workspace, { files = {}, variables = {}, userId = 0 }: Wish) {
  for (const [name, text] of Object.entries({ "storage.conf": "", ...files })) {
    const path = workspace.at("home/.config/containers", name);
    mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    writeFileSync(path, text);
  }
  const warnings: string[] = [];
  const environment = {
    variables,
    home: workspace.at("home"),
    userId,
    os: "linux",
    architecture: "amd64",
  };
  const log = { ...silent, warn: (message: string) => void warnings.push(message) };
  return { conf: await readStorageConf(environment, log), warnings };
}

describe("readStorageConf", () => {
  test("has a store for root where no file says anything", async () => {
    using workspace = new Workspace();
    expect((await read(workspace, {})).conf).toEqual({
      driver: "",
      graphRoot: "/var/lib/containers/storage",
      runRoot: "/run/containers/storage",
      options: [],
    });
  });

  test("has another one for everybody else", async () => {
    using workspace = new Workspace();
    const runtime = workspace.at("run");
    mkdirSync(runtime);
    const variables = { XDG_RUNTIME_DIR: runtime };
    expect((await read(workspace, { userId: 1234, variables })).conf).toMatchObject({
      graphRoot: workspace.at("home/.local/share/containers/storage"),
      runRoot: `${runtime}/containers`,
    });
    const data = { XDG_DATA_HOME: "/data", TMPDIR: "/t" };
    const outside = { ...data, _CONTAINERS_ROOTLESS_UID: "4321" };
    for (const wish of [
      { userId: 4321, variables: data },
      { userId: 0, variables: outside },
    ]) {
      expect((await read(workspace, wish)).conf).toMatchObject({
        graphRoot: "/data/containers/storage",
        runRoot: "/t/storage-run-4321/containers",
      });
    }
  });

  test("reads all members, in the order in which they are spelled", async () => {
    using workspace = new Workspace();
    const text = `
      [storage]
      driver = "overlay"
      driver_priority = ["overlay", "vfs"]
      graphroot = "/g/$UID/\${WORD}"
      runroot = "/r"
      imagestore = "/i"
      unknown = 1
      [storage.options]
      size = "10G"
      additionalimagestores = ["/a", "/b"]
      mount_program = ""
      [storage.options.overlay]
      mountopt = "nodev"
      force_mask = "0755"
      ignore_chown_errors = true
      [storage.options.vfs]
      ignore_chown_errors = "false"
      [storage.options.pull_options]
      enable_partial_images = "true"`;
    const wish = { files: { "storage.conf": text }, variables: { WORD: "w" } };
    expect((await read(workspace, wish)).conf).toEqual({
      driver: "overlay",
      driverPriority: ["overlay", "vfs"],
      graphRoot: "/g/0/w",
      runRoot: "/r",
      imageStore: "/i",
      options: [
        "imagestore=/a",
        "imagestore=/b",
        "size=10G",
        "overlay.ignore_chown_errors=true",
        "overlay.mountopt=nodev",
        "overlay.force_mask=0755",
        "vfs.ignore_chown_errors=false",
      ],
    });
  });

  test("lets what comes later count, and lists append where they say so", async () => {
    using workspace = new Workspace();
    const files = {
      "storage.conf": `[storage]\ngraphroot = "/g"\ndriver = "vfs"\n[storage.options]\nadditionalimagestores = ["/a"]`,
      "storage.conf.d/10.conf": `[storage]\ndriver = "overlay"\n[storage.options]\nadditionalimagestores = ["/b", {append = true}]`,
      "storage.conf.d/20.conf": `[storage.options.overlay]\nmountopt = "nodev"`,
      "storage.conf.d/note.txt": "no TOML",
    };
    expect((await read(workspace, { files })).conf).toMatchObject({
      driver: "overlay",
      graphRoot: "/g",
      options: ["imagestore=/a", "imagestore=/b", "overlay.mountopt=nodev"],
    });
  });

  test("does what the environment says", async () => {
    using workspace = new Workspace();
    const text = `[storage]\ndriver = "vfs"\n[storage.options]\nsize = "1G"`;
    const named = workspace.at("named.conf");
    writeFileSync(named, `[storage]\ngraphroot = "/named"`);
    const files = { "storage.conf": text };
    const of = async (variables: Readonly<Record<string, string>>) =>
      (await read(workspace, { files, variables })).conf;
    expect((await of({ STORAGE_DRIVER: "overlay2" })).driver).toBe("overlay");
    expect((await of({ STORAGE_OPTS: "a=1,b=2" })).options).toEqual(["a=1", "b=2"]);
    expect((await of({ STORAGE_OPTS: "" })).options).toEqual([]);
    expect(await of({ CONTAINERS_STORAGE_CONF: named })).toMatchObject({
      graphRoot: "/named",
      driver: "",
    });
    const override = { CONTAINERS_STORAGE_CONF_OVERRIDE: named };
    expect(await of(override)).toMatchObject({ graphRoot: "/named", driver: "vfs" });
  });

  test("follows links to where the store is", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("real"));
    symlinkSync(workspace.at("real"), workspace.at("link"));
    const files = { "storage.conf": `[storage]\ngraphroot = "${workspace.at("link")}"` };
    expect((await read(workspace, { files })).conf.graphRoot).toBe(workspace.at("real"));
  });

  test("warns of what does not count any more", async () => {
    using workspace = new Workspace();
    const text = `[storage]\ngraphroot = "/g"\nrootless_storage_path = "/old"\ndriver = "overlay2"`;
    const { conf, warnings } = await read(workspace, {
      files: { "storage.conf": text },
      userId: 7,
      variables: { XDG_RUNTIME_DIR: "/none" },
    });
    expect(conf.graphRoot).toBe("/g");
    expect(warnings).toHaveLength(2);
  });

  test.each([
    ["[storage", "toml: "],
    ["[storage]\ndriver = 1", 'toml: "storage.driver"'],
    [`[storage]\ngraphroot = "/g"\nimagestore = "/g"`, "imagestore must not be the same"],
  ])("refuses %j", async (text, message) => {
    using workspace = new Workspace();
    const failure = await rejection(read(workspace, { files: { "storage.conf": text } }));
    expect(failure).toMatchObject({ code: "config", message: expect.stringContaining(message) });
  });

  test("needs a file that somebody named", async () => {
    using workspace = new Workspace();
    const variables = { CONTAINERS_STORAGE_CONF: workspace.at("none") };
    expect((await rejection(read(workspace, { variables }))).code).toBe("config");
  });
});
