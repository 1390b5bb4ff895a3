// Archives of layouts: what others make of them, and we of theirs.

import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { executable, run, succeed } from "../support/run.ts";
import { type Sample, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

/** Runs a line of shell in which $dray stands for the executable, under no policy. */
function shell(scene: Scene, line: string) {
  return run(["-c", line], {
    cwd: scene.path,
    program: "sh",
    env: { dray: `${executable} --insecure-policy` },
  });
}

async function filled(scene: Scene, sample: Sample = sampleImage({ format: "oci" })) {
  const source = await scene.store("dir");
  await source.fill(sample);
  return source;
}

describe("oci-archive and the original", () => {
  const originalTest = testWith(original());

  for (const [what, sample, flags] of [
    ["an image", sampleImage({ format: "oci", layers: ["gzip", "zstd"] }), []],
    ["a list", sampleList(), ["--all"]],
    ["a Docker image", sampleImage(), ["--format=oci"]],
  ] as const) {
    originalTest(`read each other's archive of ${what}, to the same end`, async () => {
      await using scene = new Scene();
      const source = await filled(scene, sample);
      await scene.copy(...flags, source.image, "oci-archive:ours.tar:a/name:1");
      await scene.originalCopy(...flags, source.image, "oci-archive:theirs.tar:a/name:1");
      await scene.originalCopy(...flags, "oci-archive:ours.tar:a/name:1", "dir:theirs-of-ours");
      await scene.copy(...flags, "oci-archive:theirs.tar:a/name:1", "dir:ours-of-theirs");
      await scene.copy(...flags, "oci-archive:ours.tar", "dir:ours-of-ours");
      const expected = treeOf(scene.at("theirs-of-ours"));
      expect(treeOf(scene.at("ours-of-theirs"))).toEqual(expected);
      expect(treeOf(scene.at("ours-of-ours"))).toEqual(expected);
    });
  }

  originalTest("hold the same blobs", async () => {
    await using scene = new Scene();
    const source = await filled(scene);
    for (const [name, copy] of [
      ["ours", scene.copy],
      ["theirs", scene.originalCopy],
    ] as const) {
      await copy.call(scene, source.image, `oci-archive:${name}.tar:1`);
      await shell(scene, `mkdir ${name} && tar xf ${name}.tar -C ${name}`);
    }
    expect(treeOf(scene.at("ours/blobs"))).toEqual(treeOf(scene.at("theirs/blobs")));
    expect(Object.keys(treeOf(scene.at("ours")))).toEqual(Object.keys(treeOf(scene.at("theirs"))));
  });

  originalTest("an archive to which we added is read by it", async () => {
    await using scene = new Scene();
    const [a, b] = [
      await filled(scene),
      await filled(scene, sampleImage({ format: "oci", seed: "b" })),
    ];
    await scene.originalCopy(a.image, "oci-archive:both.tar:a");
    await scene.copy("--dest-append", b.image, "oci-archive:both.tar:b");
    for (const [name, store] of [
      ["a", a],
      ["b", b],
    ] as const) {
      const { stdout } = await scene.original("inspect", "--raw", `oci-archive:both.tar:${name}`);
      expect(stdout).toBe(new TextDecoder().decode(await store.manifest()));
    }
  });
});

describe("umoci", () => {
  testWith("umoci", "root")("makes a layout that is read out of GNU tar's archives", async () => {
    await using scene = new Scene();
    const umoci = (...args: readonly string[]) =>
      succeed(args, { cwd: scene.path, program: "umoci" });
    await umoci("init", "--layout", "layout");
    await umoci("new", "--image", "layout:1");
    const { stdout } = await scene.dray("inspect", "--raw", "oci:layout:1");
    for (const format of ["gnu", "pax", "ustar", "v7"]) {
      await shell(scene, `cd layout && tar cf ../${format}.tar --format=${format} .`);
      const read = await scene.dray("inspect", "--raw", `oci-archive:${format}.tar:1`);
      expect(read).toMatchObject({ code: 0, stdout, stderr: "" });
    }
  });
});

describe("an archive by a pipe", () => {
  test("goes to standard output without a stray byte, and comes from standard input", async () => {
    await using scene = new Scene();
    const source = await filled(scene);
    await scene.copy(source.image, "oci-archive:file.tar:1");
    for (const name of ["-", "/dev/stdout"]) {
      const out = await shell(scene, `$dray copy ${source.image} oci-archive:${name}:1 > out.tar`);
      expect(out.code).toBe(0);
      expect(out.stderr).toContain("Writing manifest to image destination");
      expect(readFileSync(scene.at("out.tar"))).toEqual(readFileSync(scene.at("file.tar")));
    }
    for (const name of ["-", "/dev/stdin"]) {
      const line = `gzip -c file.tar | TMPDIR=$PWD $dray copy oci-archive:${name}:1 oci:there:1`;
      expect(await shell(scene, line)).toMatchObject({ code: 0 });
      expect(readFileSync(scene.at("there/index.json"), "utf8")).toContain('"1"');
      rmSync(scene.at("there"), { recursive: true });
    }
  });

  test("from one program to another, over devices too", async () => {
    await using scene = new Scene();
    const source = await filled(scene);
    const line = `$dray copy -q ${source.image} oci-archive:-:1 | $dray copy -q oci-archive:- oci:there:1`;
    expect(await shell(scene, line)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await shell(scene, `$dray copy -q ${source.image} oci-archive:/dev/null`)).toMatchObject(
      {
        code: 0,
      },
    );
  });

  test("to a reader that leaves is an error", async () => {
    await using scene = new Scene();
    const source = await filled(scene, sampleImage({ format: "oci", ballastBytes: 1_000_000 }));
    const line = `{ $dray copy -q ${source.image} oci-archive:-; echo $? >&2; } | head -c 100 > out`;
    const { stderr } = await shell(scene, line);
    expect(stderr).toEndWith("\n1\n");
    expect(stderr).toContain("/dev/stdout");
  });
});

test("what is not there, and how it ends", async () => {
  await using scene = new Scene();
  const source = await filled(scene);
  await scene.copy(source.image, "oci-archive:a.tar:1");
  const missing = await scene.dray("inspect", "oci-archive:a.tar:2");
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('no descriptor found for reference \\"2\\"');
  const absent = await scene.dray("inspect", "oci-archive:no.tar:2");
  expect(absent.code).toBe(1);
  expect(absent.stderr).toContain("archive file not found: ");
  const deleted = await scene.dray("delete", "oci-archive:a.tar:1");
  expect(deleted).toMatchObject({ code: 1 });
  expect(deleted.stderr).toContain("Deleting images not implemented");
});
