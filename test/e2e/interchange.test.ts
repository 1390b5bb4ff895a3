// Interchange: what we write, the original would have written, and everybody can read it.

import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { original, testWith } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { type Sample, sampleImage, sampleList } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";
import { treeOf } from "../support/trees.ts";

interface Case {
  readonly what: string;
  readonly sample: () => Sample;
  readonly flags: readonly string[];
}

// No uncompressed layers here: two compressors never agree on bytes.
const cases: readonly Case[] = [
  { what: "a Docker image", sample: () => sampleImage(), flags: [] },
  {
    what: "an OCI image with zstd layers",
    sample: () => sampleImage({ format: "oci", layers: ["gzip", "zstd"] }),
    flags: [],
  },
  { what: "an OCI image as Docker's", sample: oci, flags: ["--format=v2s2"] },
  { what: "a Docker image as OCI's", sample: () => sampleImage(), flags: ["--format=oci"] },
  { what: "an image without layers", sample: () => sampleImage({ layers: [] }), flags: [] },
  { what: "this machine's image of an index", sample: () => sampleList(), flags: [] },
  { what: "an index with an attestation", sample: () => sampleList(), flags: ["--all"] },
  {
    what: "a Docker list",
    sample: () => sampleList({ format: "docker" }),
    flags: ["--all"],
  },
  {
    what: "a Docker list as OCI's",
    sample: () => sampleList({ format: "docker" }),
    flags: ["--all", "--format=oci"],
  },
  {
    what: "an index as Docker's list",
    sample: () => sampleList({ attested: false }),
    flags: ["--all", "--format=v2s2"],
  },
  { what: "an index alone", sample: () => sampleList(), flags: ["--multi-arch=index-only"] },
  {
    what: "an image whose digests are to stay",
    sample: () => sampleImage(),
    flags: ["--preserve-digests"],
  },
];

describe("copy and the original", () => {
  const originalTest = testWith(original());

  for (const { what, sample, flags } of cases) {
    originalTest(`write the same directory for ${what}`, async () => {
      await using scene = new Scene();
      const source = await scene.store("dir");
      await source.fill(sample());
      await scene.copy(...flags, source.image, `dir:${scene.at("ours")}`);
      await scene.originalCopy(...flags, source.image, `dir:${scene.at("theirs")}`);
      expect(treeOf(scene.at("ours"))).toEqual(treeOf(scene.at("theirs")));
    });

    originalTest(`write the same layout for ${what}`, async () => {
      await using scene = new Scene();
      const source = await scene.store("dir");
      await source.fill(sample());
      await scene.copy(...flags, source.image, `oci:${scene.at("ours")}:a/name:1`);
      await scene.originalCopy(...flags, source.image, `oci:${scene.at("theirs")}:a/name:1`);
      expectSameLayout(scene, "ours", "theirs");
    });
  }

  originalTest("read each other's directories and layouts to the same end", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleList());
    await scene.copy("--all", source.image, "oci:ours:1");
    await scene.originalCopy("--all", source.image, "oci:theirs:1");
    await scene.originalCopy("--all", "oci:ours:1", "dir:theirs-of-ours");
    await scene.copy("--all", "oci:theirs:1", "dir:ours-of-theirs");
    await scene.originalCopy("--all", "dir:ours-of-theirs", "oci:back:1");
    const [first, second] = [
      treeOf(scene.at("theirs-of-ours")),
      treeOf(scene.at("ours-of-theirs")),
    ];
    expect(first).toEqual(second);
    expectSameLayout(scene, "back", "theirs");
  });

  originalTest("put several names into one layout by turns", async () => {
    await using scene = new Scene();
    for (const [path, copies] of [
      ["ours", [scene.copy, scene.copy, scene.copy, scene.copy]],
      ["theirs", [scene.originalCopy, scene.copy, scene.originalCopy, scene.copy]],
    ] as const) {
      const [a, b] = [await scene.store("dir"), await scene.store("dir")];
      await a.fill(sampleImage({ format: "oci", seed: "a" }));
      await b.fill(sampleImage({ format: "oci", seed: "b" }));
      await copies[0].call(scene, a.image, `oci:${scene.at(path)}:one`);
      await copies[1].call(scene, b.image, `oci:${scene.at(path)}:two`);
      await copies[2].call(scene, b.image, `oci:${scene.at(path)}:one`);
      await copies[3].call(scene, a.image, `oci:${scene.at(path)}:three`);
    }
    expectSameLayout(scene, "ours", "theirs");
  });
});

describe("umoci", () => {
  testWith("umoci", "root")("unpacks a layout of ours", async () => {
    await using scene = new Scene();
    const source = await scene.store("dir");
    await source.fill(sampleImage({ odd: false, layers: ["gzip", "none"] }));
    await scene.copy(source.image, "oci:layout:1");
    const args = ["unpack", "--image=layout:1", "bundle"];
    const { stderr } = await succeed(args, { cwd: scene.path, program: "umoci" });
    expect(stderr).not.toContain("warn");
    expect(readFileSync(scene.at("bundle/rootfs/etc/link"), "utf8")).toBe("sample/1\n");
    expect(existsSync(scene.at("bundle/rootfs/srv/zeros"))).toBe(true);
  });
});

function oci(): Sample {
  return sampleImage({ format: "oci" });
}

/** Old releases leave the media type out of index.json and end oci-layout with a newline. */
function expectSameLayout(scene: Scene, ours: string, theirs: string): void {
  const [first, second] = [ours, theirs].map((name) => {
    const read = (file: string) => JSON.parse(readFileSync(scene.at(name, file), "utf8"));
    const { mediaType: _, ...index } = read("index.json");
    const tree = { ...treeOf(scene.at(name)), "index.json": "", "oci-layout": "" };
    return { tree, index, version: read("oci-layout") };
  });
  expect(first).toEqual(second);
}
