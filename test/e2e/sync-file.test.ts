// sync by file: who we are at each registry, and which images of it are meant.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { addSample } from "../support/push.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { run } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

const tags = ["1.0", "1.1", "1.2", "2.0", "2.1-rc1", "latest"];

function filled(options: Parameters<typeof startRegistry>[0] = {}): RegistryServer {
  const registry = startRegistry(options);
  for (const tag of tags) {
    const image = sampleImage({ seed: tag, format: "oci", layers: ["gzip"], ballastBytes: 10 });
    addSample(registry.repository("team/app"), tag, image);
  }
  return registry;
}

/** Returns the names of the images that a file and flags bring into directories, and how it ended. */
async function synced(file: string, ...flags: readonly string[]) {
  using workspace = new Workspace();
  writeFileSync(workspace.at("images.yaml"), file);
  mkdirSync(workspace.at("out"));
  const args = ["--insecure-policy", "sync", "--src=yaml", "--dest=dir", ...flags];
  const result = await run([...args, "images.yaml", "out"], { cwd: workspace.path });
  const names = Object.keys(treeOf(workspace.at("out"))).filter((name) =>
    name.endsWith("/version"),
  );
  return { ...result, names: names.map((name) => name.replace("/version", "")).toSorted() };
}

describe("sync by a file", () => {
  test("shows each registry the credentials that the file has for it", async () => {
    const basic = { kind: "basic", username: "john", password: "secret words" } as const;
    await using one = filled({ auth: basic });
    await using other = filled({ auth: { ...basic, password: "another secret" } });
    const file = `
${one.host}:
  tls-verify: false
  credentials: {username: john, password: secret words}
  images: {team/app: ["1.0"]}
${other.host}:
  tls-verify: false
  images: {team/app: ["1.1"]}
`;
    const found = await synced(file, "--src-creds=john:another secret");
    expect(found.stderr).not.toContain("secret words");
    expect(found.names).toEqual(["app:1.0", "app:1.1"]);
    for (const { headers } of one.requests) {
      const shown = headers.get("authorization") ?? "";
      expect(atob(shown.replace("Basic ", ""))).not.toContain("another");
    }
  });

  test("does not speak plainly to a registry unless the file, or a flag, says so", async () => {
    await using registry = filled();
    const section = `${registry.host}: {images: {team/app: ["1.0"]}}`;
    expect((await synced(section)).code).toBe(1);
    expect((await synced(section, "--src-tls-verify=false")).names).toEqual(["app:1.0"]);
    const strict = `${registry.host}: {tls-verify: true, images: {team/app: ["1.0"]}}`;
    expect((await synced(strict, "--src-tls-verify=false")).code).toBe(1);
  });

  test.each([
    ["images: {team/app: []}", [], tags],
    ["images: {team/app: []}", ["--include=^1", "--exclude=2$"], ["1.0", "1.1"]],
    ["images: {team/app: []}", ["--semver=>=1.1"], ["1.1", "1.2", "2.0"]],
    ["images: {team/app: []}", ["--newest=2"], ["1.2", "2.0"]],
    ["images: {team/app: {newest: 3}}\n  exclude: ^2", [], ["1.0", "1.1", "1.2"]],
    ["images: {team/app: ['1.0', latest]}", ["--exclude=latest"], ["1.0"]],
    ["images-by-tag-regex: {team/app: rc}", [], ["2.1-rc1"]],
    ["images-by-semver: {team/app: ~1.1}", [], ["1.1"]],
    ["images-by-semver: {team/app: ^1}", ["--newest=1"], ["1.2"]],
  ])("%s with %j means the right tags", async (keys, flags, expected) => {
    await using registry = filled();
    const { names } = await synced(`${registry.host}:\n  tls-verify: false\n  ${keys}\n`, ...flags);
    expect(names).toEqual(expected.map((tag) => `app:${tag}`).toSorted());
  });

  test("gives an image the name that the file has for it, and none outside of the destination", async () => {
    await using registry = filled();
    const file = (to: string) =>
      `${registry.host}: {tls-verify: false, images: {team/app: [{ref: "1.0", to: ${to}}, "1.1"]}}`;
    expect((await synced(file("x/stable:1"))).names).toEqual(["app:1.1", "x/stable:1"]);
    const outside = await synced(file("../../x:1"));
    expect(outside.code).toBe(1);
    expect(outside.stderr).toContain("outside of the destination");
    expect(outside.names).toEqual([]);
  });

  test.each([
    [["--include=("], "include: error parsing regexp: missing closing ): `(`"],
    [["--semver=nonsense"], "improper constraint: nonsense"],
    [["--map=s|a"], 'Cannot use the rule "s|a"'],
    [["--shard=5/4"], 'Cannot use "5/4" as a shard'],
    [["--shard=auto"], "The environment does not say which shard this is"],
    [["--shard=1/2", "--write-lock=x"], "Only one of --write-lock and --shard can be specified"],
    [["--locked=nowhere"], "open nowhere: no such file or directory"],
  ])("refuses %j before anything is asked", async (flags, message) => {
    await using registry = filled();
    const file = `${registry.host}: {tls-verify: false, images: {team/app: []}}`;
    const { code, stderr } = await synced(file, ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain(message.replaceAll('"', '\\"'));
    expect(registry.lines).toEqual([]);
  });

  test("takes its part from the environment, and all parts are the whole", async () => {
    await using registry = startRegistry();
    const names = Array.from({ length: 12 }, (_, index) => `r${index}`);
    for (const name of names) {
      const image = sampleImage({ seed: name, format: "oci", layers: ["gzip"], ballastBytes: 10 });
      addSample(registry.repository(name), "1", image);
    }
    const file = `${registry.host}: {tls-verify: false, images: {${names.map((name) => `${name}: []`).join(", ")}}}`;
    using workspace = new Workspace();
    writeFileSync(workspace.at("images.yaml"), file);
    mkdirSync(workspace.at("out"));
    const copied: string[] = [];
    for (const index of [0, 1, 2]) {
      const args = ["--insecure-policy", "sync", "--src=yaml", "--dest=dir", "--shard=auto/3"];
      const { stderr } = await run([...args, "images.yaml", "out"], {
        cwd: workspace.path,
        env: { JOB_COMPLETION_INDEX: String(index) },
      });
      copied.push(
        ...Array.from(stderr.matchAll(/to="dir:out\/(\w+):1"/g), ([, name = ""]) => name),
      );
    }
    expect(copied.toSorted()).toEqual(names.toSorted());
  });

  test("reads a lock of many megabytes", async () => {
    await using registry = filled();
    using workspace = new Workspace();
    const { tags: found } = registry.repository("team/app");
    const layers = Array.from({ length: 60_000 }, (_, index) => ({
      digest: `sha256:${index.toString(16).padStart(64, "0")}`,
      size: 1,
    }));
    const name = `${registry.host}/team/app:1.0`;
    const images = [{ name, digest: found.get("1.0"), layers }];
    writeFileSync(workspace.at("lock"), JSON.stringify({ version: 1, images }));
    const args = ["--insecure-policy", "sync", "--src=docker", "--dest=oci", "--locked=lock"];
    const all = [...args, "--src-tls-verify=false", `${registry.host}/team/app`, "out"];
    const { code, stderr } = await run(all, { cwd: workspace.path });
    expect(stderr).toContain("Synced 1 images from 1 sources");
    expect(code).toBe(0);
  });
});
