// sync: what the original's sync does, tree by tree, and what it costs.

import { describe, expect, setDefaultTimeout } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { type PeerRegistry, registryProgram, startPeerRegistry } from "../support/peers.ts";
import { pushSample } from "../support/push.ts";
import { type RunResult, run, succeed } from "../support/run.ts";
import { sampleImage, sampleList } from "../support/sample-images.ts";
import { treeOf } from "../support/trees.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

/** The programs whose sync is compared with ours, and what a test asks for to have them. */
const originals: readonly (readonly [need: string, program: () => string])[] = [
  ["newer:skopeo", () => newerProgram("skopeo")],
  ["skopeo", () => "skopeo"],
];

const plain = ["--insecure-policy", "sync", "--src-tls-verify=false", "--dest-tls-verify=false"];

/** A registry with several repositories, and a directory to work in. */
class Ground implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly registry: PeerRegistry;

  constructor(registry: PeerRegistry) {
    this.registry = registry;
  }

  static async open(): Promise<Ground> {
    const workspace = new Workspace();
    const registry = await startPeerRegistry({ directory: workspace.at("registry") });
    const ground = new Ground(registry);
    const target = { registry: `http://${registry.host}` };
    for (const tag of ["1.0", "1.1", "1.2-rc1", "v2", "latest"]) {
      const sample = sampleImage({ seed: tag, odd: false, ballastBytes: 500 });
      await pushSample({ ...target, repository: "team/app", tag }, sample);
    }
    const list = sampleList({ seed: "list", odd: false, ballastBytes: 500, attested: false });
    await pushSample({ ...target, repository: "team/list", tag: "3" }, list);
    const oci = sampleImage({ seed: "oci", format: "oci", odd: false, ballastBytes: 500 });
    await pushSample({ ...target, repository: "other/oci", tag: "x" }, oci);
    return ground;
  }

  get host(): string {
    return this.registry.host;
  }

  at(...names: readonly string[]): string {
    return this.workspace.at(...names);
  }

  sync(program: string | undefined, args: readonly string[]): Promise<RunResult> {
    const options = { cwd: this.workspace.path, ...(program !== undefined && { program }) };
    return run([...plain, ...args], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }
}

/** Log lines without their time, sorted: the original takes registries and repositories in any order. */
function linesOf({ stderr }: RunResult, ...names: readonly string[]): readonly string[] {
  let text = stderr.replaceAll(/^time="[^"]*" /gm, "");
  for (const name of names) text = text.replaceAll(name, "OUT");
  // The table of failures at the end is ours alone.
  const lines = text.split("\n").filter((line) => !/^ {2}|^\d+ of \d+ images failed/.test(line));
  return lines.toSorted();
}

/** Digests in the lines of the progress come in any order, too. */
function progressOf({ stdout }: RunResult): readonly string[] {
  return stdout.split("\n").toSorted();
}

interface Invocation {
  readonly name: string;
  readonly args: (ground: Ground, out: string) => readonly string[];
  /** Whether an image cannot be read. */
  readonly fails?: boolean;
  /** Whether older versions of the original don't know all of it. */
  readonly recent?: boolean;
}

const yaml = (host: string) => `
${host}:
  images:
    team/app: [latest, "1.0", "bad tag"]
    team/list: []
    team/gone: []
    Bad/name: []
  images-by-tag-regex:
    team/app: ^v[0-9]+$
  images-by-semver:
    team/app: "~1.1"
  tls-verify: false
  unknown-key: {a: b}
empty.example.com:
  tls-verify: false
`;

const toDirectories: readonly Invocation[] = [
  {
    name: "all tags of a repository",
    args: ({ host }, out) => ["--src", "docker", "--dest", "dir", `${host}/team/app`, out],
  },
  {
    name: "one tag, scoped",
    args: ({ host }, out) => ["-s", "docker", "-d", "dir", "--scoped", `${host}/team/app:v2`, out],
  },
  {
    name: "one image of a list",
    args: ({ host }, out) => ["--src=docker", "--dest=dir", `${host}/team/list:3`, out],
  },
  {
    name: "a whole list, with a suffix",
    recent: true,
    args: ({ host }, out) => [
      "--src=docker",
      "--dest=dir",
      "-a",
      "--append-suffix=-x",
      `${host}/team/list`,
      out,
    ],
  },
  {
    name: "another format",
    args: ({ host }, out) => [
      "--src=docker",
      "--dest=dir",
      "-f",
      "oci",
      `${host}/team/app:v2`,
      out,
    ],
  },
  {
    name: "digests preserved, signatures left",
    args: ({ host }, out) => [
      "--src=docker",
      "--dest=dir",
      "--preserve-digests",
      "--remove-signatures",
      `${host}/other/oci`,
      out,
    ],
  },
  {
    name: "a file",
    recent: true,
    args: (_, out) => ["--src", "yaml", "--dest", "dir", "--scoped", "images.yaml", out],
  },
  {
    name: "a file whose images can't all be had",
    fails: true,
    args: (_, out) => [
      "--src",
      "yaml",
      "--dest",
      "dir",
      "--scoped",
      "--keep-going",
      "missing.yaml",
      out,
    ],
  },
];

for (const [need, program] of originals) {
  describe(`sync beside ${need}`, () => {
    const peerTest = testWith(need, registryProgram);

    for (const { name, args, fails = false, recent = false } of toDirectories) {
      if (recent && need === "skopeo") continue;
      peerTest(`from a registry to directories: ${name}`, async () => {
        await using ground = await Ground.open();
        const { host } = ground;
        writeFileSync(ground.at("images.yaml"), yaml(host));
        writeFileSync(
          ground.at("missing.yaml"),
          `${host}: {tls-verify: false, images: {team/app: [gone, "1.0"]}}`,
        );
        for (const out of ["ours", "theirs"]) mkdirSync(ground.at(out));
        const ours = await ground.sync(undefined, args(ground, "ours"));
        const theirs = await ground.sync(program(), args(ground, "theirs"));
        expect(ours.code === 0).toBe(theirs.code === 0);
        const found = Object.entries(treeOf(ground.at("theirs")));
        // The original leaves a directory where an image could not be read.
        const whole = found.filter(([path]) => !fails || !path.includes("app:gone"));
        expect(treeOf(ground.at("ours"))).toEqual(Object.fromEntries(whole));
        if (need === "skopeo") return;
        expect(linesOf(ours, "ours")).toEqual(linesOf(theirs, "theirs"));
        expect(progressOf(ours)).toEqual(progressOf(theirs));
      });
    }

    if (need === "skopeo") return;

    peerTest("from a registry to a registry, and from directories to a registry", async () => {
      await using ground = await Ground.open();
      const { host } = ground;
      mkdirSync(ground.at("images"));
      await succeed([...plain, "--src=docker", "--dest=dir", `${host}/team/app`, "images"], {
        cwd: ground.workspace.path,
      });
      const invocations: readonly ((out: string) => readonly string[])[] = [
        (out) => ["--src=docker", "--dest=docker", `${host}/team/app`, `${host}/${out}/a`],
        (out) => ["--src=docker", "--dest=docker", "-a", `${host}/team/list`, `${host}/${out}/l`],
        (out) => ["--src=dir", "--dest=docker", "images", `${host}/${out}/d`],
        (out) => ["--src=dir", "--dest=docker", "--scoped", "images/app:v2", `${host}/${out}/s`],
      ];
      for (const invocation of invocations) {
        const ours = await ground.sync(undefined, [...invocation("ours"), "--digestfile=o"]);
        const theirs = await ground.sync(program(), [...invocation("theirs"), "--digestfile=t"]);
        expect([ours.code, theirs.code]).toEqual([0, 0]);
        const digests = readFileSync(ground.at("t"), "utf8").replaceAll("/theirs/", "/ours/");
        expect(readFileSync(ground.at("o"), "utf8")).toBe(digests);
        // What is there already is found to be there.
        const again = await ground.sync(undefined, invocation("theirs"));
        const [begun = 0, skipped] = [/Copying image ref/g, /Skipping: image already/g].map(
          (line) => [...`${again.stderr}${again.stdout}`.matchAll(line)].length,
        );
        expect(skipped).toBe(begun);
      }
    });

    peerTest("refuses what the original refuses, in its words", async () => {
      await using ground = await Ground.open();
      const { host } = ground;
      writeFileSync(ground.at("broken.yaml"), "a: [");
      mkdirSync(ground.at("full", "app:v2"), { recursive: true });
      writeFileSync(ground.at("full", "app:v2", "important"), "");
      const invocations: readonly (readonly string[])[] = [
        ["a", "b"],
        ["--src=docker", "a", "b"],
        ["--src=x", "--dest=dir", "a", "b"],
        ["--src=docker", "--dest=x", "a", "b"],
        ["--src=dir", "--dest=dir", "a", "b"],
        ["--src=dir", "--dest=docker", "nowhere", `${host}/a`],
        ["--src=dir", "--dest=docker", "full", `${host}/a`],
        ["--src=docker", "--dest=dir", `${host}/team/gone`, "b"],
        ["--src=docker", "--dest=dir", `${host}/team/app:gone`, "b"],
        ["--src=docker", "--dest=dir", `docker://${host}/team/app`, "b"],
        ["--src=docker", "--dest=dir", `${host}/Team/app`, "b"],
        ["--src=docker", "--dest=docker", `${host}/team/app:v2`, `${host}/Bad`],
        ["--src=docker", "--dest=docker", "-f", "x", `${host}/team/app:v2`, `${host}/a`],
        ["--src=docker", "--dest=docker", "--digestfile=no/f", `${host}/team/app:v2`, `${host}/a`],
        ["--src=docker", "--dest=dir", "--keep-going", `${host}/team/app:v2`, "full"],
        ["--src=yaml", "--dest=dir", "nowhere.yaml", "b"],
        ["--src=docker", "--dest=docker", "--dry-run", `${host}/team/app:v2`, `${host}/a`],
        ["--src=docker", "--dest=dir", "--src-creds=a", "--src-no-creds", `${host}/team/app`, "b"],
      ];
      for (const invocation of invocations) {
        const ours = await ground.sync(undefined, invocation);
        const theirs = await ground.sync(program(), invocation);
        const said = linesOf(ours).filter((line) => !line.startsWith("hint: "));
        expect({ invocation, code: ours.code, said }).toEqual({
          invocation,
          code: theirs.code,
          said: [...linesOf(theirs)],
        });
      }
    });
  });
}
