import { expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { copyBetween, holding } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";

const image = sampleImage({ format: "oci" });

test("isThere moves nothing of an image that is there, and tells so", async () => {
  const into = new MemoryTransport();
  const { events, digest } = await copyBetween(holding(image), into, {
    isPresent: async () => true,
  });
  expect(String(digest)).toBe(image.manifest.digest);
  expect(into.images.size).toBe(0);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.slice(2)).toEqual(["signatures-sought", "image-present", "copy-ended"]);
});

test.each([
  ["it is to be converted", { format: manifestTypes.schema2 }],
  ["it is not there", { isPresent: async () => false }],
])("isThere copies an image if %s", async (_, wish) => {
  const into = new MemoryTransport();
  await copyBetween(holding(image), into, { isPresent: async () => true, ...wish });
  expect(into.images.size).toBe(1);
});

test("isThere copies an image whose signatures have to travel", async () => {
  const from = new MemoryTransport();
  from.add("a", image, [new Uint8Array([0x90])]);
  const into = new MemoryTransport();
  await copyBetween(from, into, { isPresent: async () => true });
  expect(into.images.size).toBe(1);
  const removing = new MemoryTransport();
  await copyBetween(from, removing, { isPresent: async () => true, signatures: "remove" });
  expect(removing.images.size).toBe(0);
});

test("isThere asks for each image of a list, and the list is written all the same", async () => {
  const list = sampleList();
  const asked: [string, boolean][] = [];
  const into = new MemoryTransport();
  await copyBetween(holding(list), into, {
    images: "all",
    isPresent: async (digest, instance) => asked.push([digest, instance]) > 0,
  });
  expect(asked).toEqual(
    list.images.map(({ manifest }) => [manifest.digest as string, true]) as never,
  );
  expect(into.images.has("b")).toBe(true);
  expect(into.blobs.size).toBe(0);
});
