// What images consist of, over lists in lists.

import { describe, expect, test } from "bun:test";
import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { emptyIndex, type LayoutIndex, withImage } from "../../../transports/oci/index-json.ts";
import { blobsOnlyIn } from "../../../transports/oci/reachable.ts";
import { rejection } from "../../support/rejection.ts";
import {
  blobsOf,
  manifestsOf,
  type Sample,
  sampleImage,
  sampleList,
} from "../../support/sample-images.ts";

const image = sampleImage({ seed: "image", format: "oci", ballastBytes: 10 });
const list = sampleList({ ballastBytes: 10 });
const stored = new Map<string, Uint8Array>();
for (const { digest, bytes } of [...manifestsOf(image), ...manifestsOf(list)]) {
  stored.set(digest, bytes);
}
const read = async (digest: Digest) => stored.get(digest);

function indexOf(...samples: readonly Sample[]): LayoutIndex {
  return samples.reduce(
    (index, { manifest }) => add(index, manifest.bytes, manifest.mediaType),
    emptyIndex,
  );
}

function add(index: LayoutIndex, bytes: Uint8Array, mediaType: string): LayoutIndex {
  return withImage(index, { mediaType, digest: digestOf(bytes), size: bytes.length });
}

const digestsOf = (sample: Sample): readonly string[] =>
  [...new Set([...blobsOf(sample), ...manifestsOf(sample)].map(({ digest }) => digest))].toSorted();

/** Stores an index of one entry, and returns its bytes. */
function indexAround(inner: Uint8Array, mediaType: string): Uint8Array {
  const entry = { mediaType, digest: digestOf(inner), size: inner.length };
  const json = { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests: [entry] };
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  stored.set(digestOf(bytes), bytes);
  return bytes;
}

describe("blobsOnlyIn", () => {
  test("finds an image and a list with all of its images", async () => {
    for (const sample of [image, list]) {
      const found: readonly string[] = await blobsOnlyIn(indexOf(sample), emptyIndex, read);
      expect(found.toSorted()).toEqual([...digestsOf(sample)]);
    }
  });

  test("leaves out what other images need", async () => {
    const found: readonly string[] = await blobsOnlyIn(indexOf(image, list), indexOf(list), read);
    expect(found.toSorted()).toEqual([...digestsOf(image)]);
    expect(await blobsOnlyIn(indexOf(image), indexOf(image), read)).toEqual([]);
  });

  test("does not mind images that are not there", async () => {
    const digest: string = digestOf(list.manifest.bytes);
    const only = async (wanted: Digest) => (wanted === digest ? list.manifest.bytes : undefined);
    const found = await blobsOnlyIn(indexOf(list), emptyIndex, only);
    expect(found).toHaveLength(list.images.length + 1);
  });

  test("follows lists in lists, but not for ever", async () => {
    let bytes = indexAround(image.manifest.bytes, manifestTypes.oci);
    const found: readonly string[] = await blobsOnlyIn(
      add(emptyIndex, bytes, manifestTypes.ociIndex),
      emptyIndex,
      read,
    );
    expect(found).toContain(image.config.digest);
    for (let depth = 0; depth < 10; depth++) bytes = indexAround(bytes, manifestTypes.ociIndex);
    const deep = blobsOnlyIn(add(emptyIndex, bytes, manifestTypes.ociIndex), emptyIndex, read);
    expect(await rejection(deep)).toMatchObject({
      code: "corrupt",
      message: "Image lists are too deep or too long",
    });
  });

  test("does not count in an index with entries of other types", async () => {
    const docker = add(emptyIndex, image.manifest.bytes, manifestTypes.schema2);
    expect((await rejection(blobsOnlyIn(docker, emptyIndex, read))).message).toBe(
      `unsupported mediaType in index: "${manifestTypes.schema2}"`,
    );
  });
});
