import { describe, expect, test } from "bun:test";

import {
  chunkedAnnotations,
  isChunked,
  withoutChunked,
} from "../../../core/content/chunked-layer.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { layerFamilies } from "../../../core/content/media-types.ts";

const digest = digestOf(new Uint8Array());
const layer = { mediaType: layerFamilies.oci.zstd, digest, size: 0 };

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
