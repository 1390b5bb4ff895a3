// Sample schema 1: images as registries of old keep them, made in memory.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { emptyLayer } from "../../core/manifest/to-schema1.ts";
import type { MemoryTransport } from "./memory-transport.ts";
import { hexOf, type SampleImage, sampleImage, type SampleWish } from "./sample-images.ts";
import { schema1Step } from "./sample-manifests.ts";

/** An image of two layers, and a step between them that changed no file. */
export interface Schema1Image {
  /** Without a signature. */
  readonly manifest: Uint8Array;
  /** Those that hold something, base first. */
  readonly layers: SampleImage["layers"];
  readonly diffIds: readonly string[];
}

/** Makes an image; the same wish gives the same bytes. Its name is `old/name:1`. */
export function schema1Image({
  layers = ["gzip", "gzip"],
  ...wish
}: SampleWish = {}): Schema1Image {
  const sample = sampleImage({ ...wish, layers: layers.slice(0, 2) });
  const [base = "", top = ""] = sample.layers.map(({ digest }) => digest);
  const empty = emptyLayer.descriptor.digest;
  const text = JSON.stringify({
    schemaVersion: 1,
    name: "old/name",
    tag: "1",
    architecture: "amd64",
    fsLayers: [top, empty, base].map((blobSum) => ({ blobSum })),
    history: [
      schema1Step("c", "b", {
        created: "2015-03-01T12:00:00.5Z",
        docker_version: "1.9.1",
        os: "linux",
        architecture: "amd64",
        config: { Env: ["A=<b>"], Cmd: ["/bin/sh"] },
        container_config: { Cmd: ["/bin/sh", "-c", "make"] },
      }),
      schema1Step("b", "a", {
        created: "2015-02-01T12:00:00Z",
        throwaway: true,
        container_config: { Cmd: ["ENV A"] },
      }),
      schema1Step("a", undefined, { created: "2015-01-01T12:00:00Z", author: "me" }),
    ],
  });
  return {
    manifest: new TextEncoder().encode(text),
    layers: sample.layers,
    diffIds: sample.diffIds,
  };
}

/** Keeps an image in memory under a name. */
export function holdSchema1(memory: MemoryTransport, name: string, image: Schema1Image): void {
  for (const { digest, bytes } of image.layers) memory.blobs.set(parseDigest(digest), bytes);
  memory.blobs.set(emptyLayer.descriptor.digest, emptyLayer.bytes);
  const raw = { bytes: image.manifest, mediaType: manifestTypes.schema1 };
  memory.images.set(name, { manifests: new Map([["", raw]]), signatures: new Map() });
}

/** Writes an image as the `dir:` transport keeps it. */
export function writeSchema1Directory(path: string, { manifest, layers }: Schema1Image): void {
  mkdirSync(path, { recursive: true });
  for (const { digest, bytes } of layers) writeFileSync(join(path, hexOf(digest)), bytes);
  writeFileSync(join(path, hexOf(emptyLayer.descriptor.digest)), emptyLayer.bytes);
  writeFileSync(join(path, "manifest.json"), manifest);
  writeFileSync(join(path, "version"), "Directory Transport Version: 1.1\n");
}
