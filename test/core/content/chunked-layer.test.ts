import { describe, expect, test } from "bun:test";

import {
  chunkedAnnotations,
  chunkedAnnotationsIn,
  isChunked,
  withoutChunked,
} from "../../../core/content/chunked-layer.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { layerFamilies } from "../../../core/content/media-types.ts";

const digest = digestOf(new Uint8Array());
const layer = { mediaType: layerFamilies.oci.zstd, digest, size: 0 };

const said = {
  [chunkedAnnotations.tocDigest]: digest,
  [chunkedAnnotations.tocPosition]: "10:20:30:1",
  [chunkedAnnotations.tarSplitPosition]: "38:4:500",
};

describe("chunkedAnnotationsIn", () => {
  test("finds them among others, in one order", () => {
    const reversed = Object.fromEntries(Object.entries({ ...said, other: "1" }).toReversed());
    expect(JSON.stringify(chunkedAnnotationsIn(reversed))).toBe(JSON.stringify(said));
  });

  test.each([
    ["none", {}],
    ["only some", { [chunkedAnnotations.tocDigest]: digest }],
    ["a digest that is none", { ...said, [chunkedAnnotations.tocDigest]: "sha256:x" }],
    ["a position that is none", { ...said, [chunkedAnnotations.tocPosition]: "1:2:3" }],
    ["a kind nobody knows", { ...said, [chunkedAnnotations.tocPosition]: "1:2:3:2" }],
    ["too much", { ...said, [chunkedAnnotations.tarSplitPosition]: "1:2:3\n" }],
    ["no text", { ...said, [chunkedAnnotations.tarSplitPosition]: 7 }],
  ])("takes %s for nothing", (_, annotations) => {
    expect(chunkedAnnotationsIn(annotations)).toBeUndefined();
  });
});

describe("isChunked and withoutChunked", () => {
  test("go by the annotations, and leave others alone", () => {
    const others = { "org.example": "1" };
    const annotations = {
      ...others,
      [chunkedAnnotations.tocDigest]: digest,
      [chunkedAnnotations.tarSplitPosition]: "1:2:3",
    };
    expect(isChunked(layer)).toBe(false);
    expect(isChunked({ ...layer, annotations: others })).toBe(false);
    expect(isChunked({ ...layer, annotations })).toBe(true);
    expect(withoutChunked(annotations)).toEqual(others);
  });
});
