import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { detectCompression } from "../../../core/blob/decompress.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { layerFamilies } from "../../../core/content/media-types.ts";
import {
  digested,
  digestedBeside,
  fittingType,
  readLayerContent,
} from "../../../core/copy/diff-id.ts";
import { admitted, descriptorOf } from "../../support/carry.ts";
import { rejection } from "../../support/rejection.ts";
import { type SampleCompression, sampleImage } from "../../support/sample-images.ts";

const content = new TextEncoder().encode("a layer, uncompressed ".repeat(1000));
const gzipped = Bun.gzipSync(content);
const { docker, oci } = layerFamilies;

function inChunks(bytes: Uint8Array, size: number) {
  const count = Math.ceil(bytes.length / size);
  return streamOf(
    ...Array.from({ length: count }, (_, at) => bytes.slice(at * size, (at + 1) * size)),
  );
}

describe("digested", () => {
  test("tells the digest at the end, and not before", async () => {
    let told: string | undefined;
    const stage = digested((digest) => (told = digest));
    for await (const _ of stage(inChunks(content, 100))) expect(told).toBeUndefined();
    expect(told).toBe(digestOf(content));
  });

  test("tells nothing of what was left early", async () => {
    let told = false;
    for await (const _ of digested(() => (told = true))(inChunks(content, 100))) break;
    expect(told).toBe(false);
  });
});

describe("digestedBeside", () => {
  test.each([
    ["none", content],
    ["gzip", gzipped],
    ["zstd", Bun.zstdCompressSync(content)],
  ] as const)("passes bytes compressed with %s on as they are", async (compression, bytes) => {
    for (const size of [7, bytes.length]) {
      let told: string | undefined;
      const stage = digestedBeside(compression, (digest) => (told = digest));
      const passed = await collect(stage(inChunks(bytes, size)), bytes.length);
      expect(Buffer.compare(passed, bytes)).toBe(0);
      expect(told).toBe(digestOf(content));
    }
  });

  test.each([
    ["cut off", gzipped.subarray(0, -5)],
    ["followed by something else", new Uint8Array([...gzipped, 1, 2, 3])],
  ])("fails on a layer that is %s, and tells nothing", async (_, bytes) => {
    let told = false;
    const stage = digestedBeside("gzip", () => (told = true));
    const failure = await rejection(collect(stage(inChunks(bytes, 100)), bytes.length));
    expect(failure.code).toBe("corrupt");
    expect(told).toBe(false);
  });
});

describe("fittingType", () => {
  test.each([
    [docker.gzip, "none", docker.none],
    [docker.none, "gzip", docker.gzip],
    [docker.gzip, "zstd", docker.zstd],
    [oci.gzip, "zstd", oci.zstd],
    [docker.gzip, "xz", docker.gzip],
  ] as const)("of %s with %s inside is %s", (mediaType, compression, expected) => {
    expect(fittingType(mediaType, compression)).toBe(expected);
  });
});

describe("readLayerContent", () => {
  test.each<SampleCompression>(["none", "gzip", "zstd"])(
    "says what is in a layer with compression %s",
    async (compression) => {
      const sample = sampleImage({ format: "oci", layers: [compression] });
      const { image } = await admitted(sample);
      const blob = descriptorOf(sample.layers[0]!);
      const read = await readLayerContent(image, { ...blob, mediaType: docker.gzip }, {});
      expect(String(read.diffId)).toBe(sample.diffIds[0]!);
      expect(detectCompression(sample.layers[0]!.bytes)).toBe(compression);
      expect(read.mediaType).toBe(fittingType(docker.gzip, compression));
    },
  );

  test("C1 believes no byte that is not the layer's", async () => {
    const sample = sampleImage({ format: "oci", layers: ["none"] });
    const { image, memory } = await admitted(sample);
    const blob = descriptorOf(sample.layers[0]!);
    memory.blobs.set(blob.digest, sample.layers[0]!.bytes.with(600, 0xff));
    const failure = await rejection(readLayerContent(image, blob, {}));
    expect(failure.message).toContain("Digest did not match");
  });
});
