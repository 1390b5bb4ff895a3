// docker-archive: what the original writes and we read, the other way round, and what is left after failures.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dockerTar } from "../support/docker-tars.ts";
import { original, testWith } from "../support/needs.ts";
import { executable, start } from "../support/run.ts";
import { type Sample, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { treeOf } from "../support/trees.ts";

const samples: readonly (readonly [string, () => Sample])[] = [
  ["a Docker image", () => sampleImage()],
  [
    "an OCI image of layers with and without compression",
    () => sampleImage({ format: "oci", layers: ["gzip", "none"] }),
  ],
  ["an image without layers", () => sampleImage({ layers: [] })],
  ["this machine's image of an index", () => sampleList()],
];

const originalTest = testWith(original());
const unpackTest = testWith(original(), "tar");

/** Returns what GNU tar makes of an archive. */
function unpacked(scene: Scene, name: string): unknown {
  const directory = scene.at(`${name}.d`);
  for (const command of [
    ["mkdir", directory],
    ["tar", "xf", scene.at(name), "-C", directory],
  ]) {
    const { success, stderr } = Bun.spawnSync(command);
    if (!success) throw new Error(stderr.toString());
  }
  return treeOf(directory);
}

async function filled(scene: Scene, sample: Sample): Promise<string> {
  const store = await scene.store("dir");
  await store.fill(sample);
  return store.image;
}

async function digestIn(scene: Scene, image: string): Promise<string> {
  const { stdout, stderr } = await scene.dray("inspect", "--format={{.Digest}}", image);
  if (stdout === "") throw new Error(stderr);
  return stdout;
}

describe("docker-archive and the original", () => {
  for (const [what, sample] of samples) {
    unpackTest(`hold the same for ${what}, to the last byte`, async () => {
      await using scene = new Scene();
      const from = await filled(scene, sample());
      const tags = ["--additional-tag=y:2", "--additional-tag=docker.io/library/x:1"];
      await scene.copy(...tags, from, "docker-archive:ours.tar:x:1");
      await scene.originalCopy(...tags, from, "docker-archive:theirs.tar:x:1");
      expect(statSync(scene.at("ours.tar")).size).toBe(statSync(scene.at("theirs.tar")).size);
      expect(unpacked(scene, "ours.tar")).toEqual(unpacked(scene, "theirs.tar"));
    });

    originalTest(`read each other's archives of ${what}, with equal digests`, async () => {
      await using scene = new Scene();
      const from = await filled(scene, sample());
      await scene.copy(from, "docker-archive:ours.tar:x:1");
      await scene.originalCopy(from, "docker-archive:theirs.tar:x:1");
      for (const name of ["ours.tar", "theirs.tar"]) {
        const image = `docker-archive:${name}:x:1`;
        await scene.copy(image, `dir:${name}-by-us`);
        await scene.originalCopy(image, `dir:${name}-by-them`);
        expect(treeOf(scene.at(`${name}-by-us`))).toEqual(treeOf(scene.at(`${name}-by-them`)));
        const { stdout: raw } = await scene.original("inspect", "--raw", image);
        expect((await scene.dray("inspect", "--raw", image)).stdout).toBe(raw);
      }
    });
  }

  originalTest("list the same tags, and read what --dest-append has added", async () => {
    await using scene = new Scene();
    const first = await filled(scene, sampleImage({ seed: "first" }));
    const second = await filled(scene, sampleImage({ seed: "second" }));
    await scene.originalCopy(first, "docker-archive:a.tar:x:1");
    await scene.copy("--dest-append", second, "docker-archive:a.tar:y:1");
    await scene.copy("--dest-append", "--additional-tag=z:2", first, "docker-archive:a.tar");
    const listed = await scene.dray("list-tags", "docker-archive:a.tar");
    expect(listed.stdout).toBe(
      `{\n    "Tags": [\n        "docker.io/library/x:1",\n        "docker.io/library/z:2",\n        "docker.io/library/y:1"\n    ]\n}\n`,
    );
    expect((await scene.original("list-tags", "docker-archive:a.tar")).stdout).toBe(listed.stdout);
    for (const tag of ["x:1", "y:1", "z:2", "@1"]) {
      const image = `docker-archive:a.tar:${tag}`;
      const { stdout } = await scene.original("inspect", "--format={{.Digest}}", image);
      expect(await digestIn(scene, image)).toBe(stdout);
    }
  });
});

describe("docker-archive", () => {
  test("goes through pipes without a stray byte", async () => {
    await using scene = new Scene();
    const from = await filled(scene, sampleImage());
    await scene.copy(from, "docker-archive:file.tar:x:1");
    const whole = readFileSync(scene.at("file.tar"));
    for (const out of ["-", "/dev/stdout"]) {
      const command = [executable, "--insecure-policy", "copy", from, `docker-archive:${out}:x:1`];
      const child = Bun.spawnSync(command, { cwd: scene.path });
      expect(child.exitCode).toBe(0);
      expect(Buffer.compare(child.stdout, whole)).toBe(0);
      for (const input of ["-", "/dev/stdin"]) {
        const inspect = [executable, "inspect", "--format={{.Digest}}", `docker-archive:${input}`];
        const read = Bun.spawnSync(inspect, { cwd: scene.path, stdin: child.stdout });
        expect(read.stdout.toString()).toBe(await digestIn(scene, "docker-archive:file.tar"));
      }
    }
  });

  test("says in words that nobody reads standard output any more", async () => {
    await using scene = new Scene();
    const from = await filled(scene, sampleImage({ ballastBytes: 3_000_000 }));
    const args = ["--insecure-policy", "copy", from, "docker-archive:-"];
    const writer = Bun.spawn([executable, ...args], {
      cwd: scene.path,
      stdout: "pipe",
      stderr: "pipe",
    });
    await writer.stdout.cancel();
    expect(await writer.stderr.text()).toContain("write /dev/stdout: broken pipe");
    expect(await writer.exited).toBe(1);
  });

  test("ends with 1, not 2, where an image is not there", async () => {
    await using scene = new Scene();
    writeFileSync(scene.at("a.tar"), dockerTar());
    for (const [image, words] of [
      ["docker-archive:a.tar:y", 'Tag "docker.io/library/y:latest" not found'],
      ["docker-archive:a.tar:@3", "Invalid source index @3, only 1 manifest items available"],
      ["docker-archive:no.tar", 'opening file "no.tar": open no.tar: no such file or directory'],
    ] as const) {
      const { code, stderr } = await scene.dray("copy", image, "dir:there");
      expect(code).toBe(1);
      expect(stderr).toContain(JSON.stringify(words).slice(1, -1));
    }
    expect(readdirSync(scene.path)).toEqual(["a.tar"]);
  });

  test("refuses to be changed, or deleted from, in the original's words", async () => {
    await using scene = new Scene();
    const from = await filled(scene, sampleImage());
    writeFileSync(scene.at("a.tar"), dockerTar());
    const copied = await scene.dray("copy", from, "docker-archive:a.tar");
    expect(copied.code).toBe(1);
    expect(copied.stderr).toContain(
      "initializing destination docker-archive:a.tar: docker-archive doesn't support modifying existing images",
    );
    const deleted = await scene.dray("delete", "docker-archive:a.tar");
    expect(deleted.stderr).toContain("Deleting images not implemented for docker-archive: images");
    expect(readFileSync(scene.at("a.tar")).equals(dockerTar())).toBe(true);
  });

  test("refuses lists, and leaves nothing", async () => {
    await using scene = new Scene();
    const from = await filled(scene, sampleList());
    const { code, stderr } = await scene.dray("copy", "--all", from, "docker-archive:a.tar");
    expect(code).toBe(1);
    expect(stderr).toContain("does not support copying multiple images as a group");
    expect(readdirSync(scene.path)).not.toContain("a.tar");
  });

  test("F6: of several that append at once, none loses what another one has added", async () => {
    await using scene = new Scene();
    const images = await Promise.all(
      ["a", "b", "c", "d"].map((seed) => filled(scene, sampleImage({ seed }))),
    );
    const results = await Promise.all(
      images.map((image, index) =>
        scene.dray("copy", "--dest-append", image, `docker-archive:all.tar:n:${index}`),
      ),
    );
    const done = results.flatMap(({ code }, index) =>
      code === 0 ? [`"docker.io/library/n:${index}"`] : [],
    );
    const { stdout } = await scene.dray("list-tags", "docker-archive:all.tar");
    expect(stdout.match(/"docker[^"]*"/g)?.toSorted()).toEqual(done);
    expect(done.length).toBeGreaterThan(0);
    expect(readdirSync(scene.path).filter((name) => name.includes("dray"))).toEqual([]);
  });

  test("F6: killed at any moment, it leaves the archive as it was or as it is to be", async () => {
    await using scene = new Scene();
    const first = await filled(scene, sampleImage({ seed: "first" }));
    const second = await filled(scene, sampleImage({ seed: "second", ballastBytes: 20_000_000 }));
    await scene.copy(first, "docker-archive:a.tar:x:1");
    const old = readFileSync(scene.at("a.tar"));
    const args = ["--insecure-policy", "copy", "--dest-append", second, "docker-archive:a.tar:y:1"];
    let killed = 0;
    for (let delayMs = 20; delayMs < 2000; delayMs += 40) {
      const writer = start(args, { cwd: scene.path });
      await Bun.sleep(delayMs);
      writer.kill("SIGKILL");
      const { code } = await writer.done;
      if (code === 0) break;
      killed += 1;
      const now = readFileSync(scene.at("a.tar"));
      if (now.equals(old)) continue;
      const { stdout } = await scene.dray("list-tags", "docker-archive:a.tar");
      expect(stdout).toContain("docker.io/library/y:1");
      break;
    }
    expect(killed).toBeGreaterThan(0);
    await scene.copy("docker-archive:a.tar:x:1", "dir:x");
    await scene.copy("docker-archive:a.tar:y:1", "dir:y");
  });

  testWith("root", "mount")("F9: leaves no part of an archive on a full disk", async () => {
    await using scene = new Scene();
    using disk = new SmallDisk(4 * 1024 * 1024);
    const from = await filled(scene, sampleImage({ ballastBytes: 3_000_000 }));
    const { code, stderr } = await scene.dray("copy", from, `docker-archive:${disk.at("a.tar")}`);
    expect(code).toBe(1);
    expect(stderr).toContain("no space left on device");
    expect(readdirSync(disk.path)).toEqual([]);
  });
});
