// Compression to choose: everybody reads what we write, and we read what others write.

import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { run } from "../support/run.ts";
import { hexOf, sampleImage } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const image = sampleImage({
  format: "oci",
  layers: ["none", "gzip", "zstd"],
  ballastBytes: 3_000_000,
});

/** Where the layers of an image are, and how its manifest says that they are compressed. */
function layersIn(scene: Scene, layout: string): { path: string; mediaType: string }[] {
  const read = (digest: string) =>
    JSON.parse(readFileSync(scene.at(layout, "blobs/sha256", hexOf(digest)), "utf8"));
  const index = JSON.parse(readFileSync(scene.at(layout, "index.json"), "utf8"));
  return read(index.manifests[0].digest).layers.map(
    ({ digest, mediaType }: { digest: string; mediaType: string }) => ({
      path: scene.at(layout, "blobs/sha256", hexOf(digest)),
      mediaType,
    }),
  );
}

/** Checks that layers come down to what the image's config names, by a program of others. */
async function checkLayers(scene: Scene, layout: string, unpack: readonly string[]): Promise<void> {
  const [program = "", ...words] = unpack;
  for (const [index, { path }] of layersIn(scene, layout).entries()) {
    const content = Bun.spawnSync([program, ...words, path], { maxBuffer: 100_000_000 });
    expect(content.exitCode).toBe(0);
    const digest = `sha256:${Bun.CryptoHasher.hash("sha256", content.stdout, "hex")}`;
    expect(digest).toBe(image.diffIds[index] ?? "");
  }
}

const tools = [
  ["gzip", ["gzip", "-dc"]],
  ["gzip", ["pigz", "-dc"]],
  ["zstd", ["zstd", "-dcq"]],
  ["zstd:chunked", ["zstd", "-dcq"]],
] as const;

const originals = ["skopeo", "newer:skopeo"];

function programOf(need: string): string {
  return need.startsWith("newer:") ? newerProgram(need.slice(6)) : need;
}

describe("--dest-compress-format", () => {
  for (const [format, unpack] of tools) {
    testWith(unpack[0])(`${format} is read by ${unpack[0]}`, async () => {
      await using scene = new Scene();
      const source = await scene.store("dir");
      await source.fill(image);
      const flags = [`--dest-compress-format=${format}`, "--dest-compress-level=1"];
      await scene.copy(...flags, source.image, "oci:ours:1");
      const types = layersIn(scene, "ours").map(({ mediaType }) => mediaType);
      expect(types).toEqual(
        Array(3).fill(`application/vnd.oci.image.layer.v1.tar+${format.split(":")[0]}`),
      );
      for (const { path } of layersIn(scene, "ours")) {
        expect(Bun.spawnSync([unpack[0], "-tq", path]).exitCode).toBe(0);
      }
      await checkLayers(scene, "ours", unpack);
    });
  }

  for (const need of originals) {
    for (const format of ["gzip", "zstd", "zstd:chunked"]) {
      testWith(
        need,
        "zstd",
        "gzip",
      )(`${format} is read by ${need}, and read from it`, async () => {
        await using scene = new Scene();
        const source = await scene.store("dir");
        await source.fill(image);
        const program = programOf(need);
        const theirs = async (...words: readonly string[]) => {
          const call = ["--insecure-policy", "copy", ...words];
          const { code, stderr } = await run(call, { cwd: scene.path, program });
          expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        };
        const compressed = `--dest-compress-format=${format}`;
        // Whoever unpacks it compares it with its digest, which is the config's.
        await scene.copy(compressed, source.image, "oci:ours:1");
        await theirs("--dest-decompress", `oci:${scene.at("ours")}:1`, `dir:${scene.at("a")}`);
        await theirs(compressed, `oci:${scene.at("ours")}:1`, `oci:${scene.at("theirs")}:1`);
        await scene.copy("--dest-decompress", "oci:theirs:1", "dir:b");
        for (const diffId of image.diffIds) {
          for (const directory of ["a", "b"]) {
            const bytes = readFileSync(scene.at(directory, hexOf(diffId)));
            expect(`sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`).toBe(diffId);
          }
        }
      });
    }
  }
});

describe("the original and we", () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ["an unknown format", ["--dest-compress-format=xz"], "oci:LAYOUT:1"],
    ["a format that cannot be written", ["--dest-compress-format=bzip2"], "oci:LAYOUT:1"],
    ["one that nothing can tell of", ["--dest-compress-format=Xz"], "dir:LAYOUT"],
    [
      "zstd in an archive of Docker's",
      ["--dest-compress-format=zstd"],
      "docker-archive:LAYOUT:a:1",
    ],
    [
      "zstd in a manifest of Docker's",
      ["--dest-compress-format=zstd", "--format=v2s2"],
      "dir:LAYOUT",
    ],
    ["a format to insist on that is none", ["--dest-force-compress-format"], "oci:LAYOUT:1"],
  ];
  for (const [what, flags, destination] of cases) {
    testWith("newer:skopeo")(`refuse ${what} in the same words`, async () => {
      await using scene = new Scene();
      const source = await scene.store("dir");
      await source.fill(image);
      const words = (to: string) => [
        "--insecure-policy",
        "copy",
        ...flags,
        source.image,
        destination.replace("LAYOUT", scene.at(to)),
      ];
      const ours = await run(words("ours"), { cwd: scene.path });
      const theirs = await run(words("theirs"), {
        cwd: scene.path,
        program: newerProgram("skopeo"),
      });
      expect([ours.code, theirs.code]).toEqual([1, 1]);
      const message = (text: string) => /msg="((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
      expect(message(ours.stderr)).toBe(message(theirs.stderr) ?? "nothing was said");
    });
  }

  for (const flags of [[], ["--preserve-digests"], ["--dest-compress"]]) {
    const told = ["--dest-compress-format=zstd", ...flags].join(" ");
    testWith("newer:skopeo")(
      `agree what becomes of layers in a directory with ${told}`,
      async () => {
        await using scene = new Scene();
        const source = await scene.store("dir");
        await source.fill(image);
        const words = ["--dest-compress-format=zstd", ...flags, source.image];
        await scene.copy(...words, "dir:ours");
        const program = newerProgram("skopeo");
        const theirs = ["--insecure-policy", "copy", ...words, `dir:${scene.at("theirs")}`];
        expect((await run(theirs, { cwd: scene.path, program })).code).toBe(0);
        const types = (directory: string) =>
          JSON.parse(readFileSync(scene.at(directory, "manifest.json"), "utf8")).layers.map(
            ({ mediaType }: { mediaType: string }) => mediaType,
          );
        expect(types("ours")).toEqual(types("theirs"));
      },
    );
  }
});
