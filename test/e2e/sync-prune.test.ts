// sync --prune: what it takes away, and when it keeps its hands off.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { addSample } from "../support/push.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { run, type RunResult, succeed } from "../support/run.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

setDefaultTimeout(180_000);

/** Images of two repositories in a registry, and all of them at a destination. */
class Ground implements AsyncDisposable {
  readonly workspace = new Workspace();
  readonly from: RegistryServer = startRegistry();

  static async open(kind: "dir" | "oci"): Promise<Ground> {
    const ground = new Ground();
    for (const repository of ["a", "b"]) {
      for (const tag of ["1", "2"]) {
        const seed = `${repository} ${tag}`;
        const image = sampleImage({ seed, format: "oci", layers: ["gzip"], ballastBytes: 10 });
        addSample(ground.from.repository(repository), tag, image);
      }
    }
    await succeed(ground.args(kind, ground.file("a: [], b: []")), ground.options);
    return ground;
  }

  get options() {
    return { cwd: this.workspace.path };
  }

  file(images: string): string {
    const text = `${this.from.host}: {tls-verify: false, images: {${images}}}`;
    writeFileSync(this.workspace.at("images.yaml"), text);
    return "images.yaml";
  }

  args(kind: string, file: string, ...flags: readonly string[]): readonly string[] {
    return ["--insecure-policy", "sync", "--src=yaml", `--dest=${kind}`, ...flags, file, "out"];
  }

  prune(kind: string, file: string, ...flags: readonly string[]): Promise<RunResult> {
    return run(this.args(kind, file, "--prune", "--yes", ...flags), this.options);
  }

  /** The images at the destination, by name. */
  held(kind: "dir" | "oci"): readonly string[] {
    const out = this.workspace.at("out");
    if (kind === "dir") return readdirSync(out).toSorted();
    const { manifests } = JSON.parse(readFileSync(`${out}/index.json`, "utf8"));
    return manifests
      .map((entry: { annotations: Record<string, string> }) => {
        return entry.annotations["org.opencontainers.image.ref.name"] ?? "";
      })
      .toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.from[Symbol.asyncDispose]();
    this.workspace[Symbol.dispose]();
  }
}

const all = ["a:1", "a:2", "b:1", "b:2"];

describe.each(["dir", "oci"] as const)("sync --prune in %s", (kind) => {
  test("takes away what the list does not have, and nothing without --yes or in a dry run", async () => {
    await using ground = await Ground.open(kind);
    const file = ground.file("a: ['1'], b: []");
    const shown = await succeed(ground.args(kind, file, "--prune"), ground.options);
    expect(shown.stderr).toContain("Would remove");
    await ground.prune(kind, file, "--dry-run");
    expect(ground.held(kind)).toEqual(all);
    expect((await ground.prune(kind, file)).code).toBe(0);
    expect(ground.held(kind)).toEqual(["a:1", "b:1", "b:2"]);
  });

  test("takes away nothing if the list has a repository that is gone", async () => {
    await using ground = await Ground.open(kind);
    const file = ground.file("a: [], b: [], c: []");
    for (const flags of [["--keep-going"], ["--dry-run"]]) {
      const { code, stderr } = await ground.prune(kind, file, ...flags);
      expect(stderr).toMatch(/Nothing is pruned, because \S+\/c\S+ came to nothing/);
      expect(code).toBe(3);
    }
    expect(ground.held(kind)).toEqual(all);
  });

  test("takes away nothing where a repository has no tags any more, but where none of them is wanted", async () => {
    await using ground = await Ground.open(kind);
    const filtered = ground.file("a: [], b: {include: nothing}");
    expect((await ground.prune(kind, filtered)).code).toBe(0);
    expect(ground.held(kind)).toEqual(["a:1", "a:2"]);
    ground.from.repository("a").tags.delete("1");
    ground.from.repository("b").tags.clear();
    const { code, stderr } = await ground.prune(kind, ground.file("a: [], b: []"));
    expect(code).toBe(3);
    expect(stderr).toMatch(/Nothing is pruned, because \S+\/b\S+ came to nothing/);
    expect(ground.held(kind)).toEqual(["a:1", "a:2"]);
  });

  test.each([
    ["an empty file", [], ""],
    ["a lock without images", ["--locked=lock"], "images"],
    ["filters that let nothing through", ["--include=nothing"], "images"],
  ])("takes away nothing if nothing at all is wanted: %s", async (_, flags, text) => {
    await using ground = await Ground.open(kind);
    writeFileSync(ground.workspace.at("lock"), '{"version": 1, "images": []}');
    const file = ground.file("a: [], b: []");
    if (text === "") writeFileSync(ground.workspace.at(file), text);
    const { code, stderr } = await ground.prune(kind, file, ...flags);
    expect(stderr).toContain("Nothing is pruned, because no image is wanted");
    expect(code).toBe(3);
    expect(ground.held(kind)).toEqual(all);
  });

  test("takes away nothing when an image failed, whether others were copied or not", async () => {
    await using ground = await Ground.open(kind);
    const file = ground.file("a: ['1', gone], b: ['1']");
    for (const flags of [[], ["--keep-going"]]) {
      expect((await ground.prune(kind, file, ...flags)).code).not.toBe(0);
    }
    expect(ground.held(kind)).toEqual(all);
  });

  test("leaves to the first of several shards what is nobody's, and takes away nothing of another's", async () => {
    await using ground = await Ground.open(kind);
    const file = ground.file("a: ['1'], b: ['1']");
    expect((await ground.prune(kind, file, "--shard=2/2")).code).toBe(0);
    expect(ground.held(kind)).toEqual(all);
    expect((await ground.prune(kind, file, "--shard=1/2")).code).toBe(0);
    expect(ground.held(kind)).toEqual(["a:1", "b:1"]);
    expect(existsSync(ground.workspace.at("out"))).toBe(true);
  });
});
