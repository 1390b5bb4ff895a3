import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { compressionBefore, cryptedLayers } from "../../../core/copy/layer-crypt.ts";

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);
const tar = "application/vnd.oci.image.layer.v1.tar";
const layers = [
  { mediaType: tar, digest: digest("0") },
  { mediaType: `${tar}+encrypted`, digest: digest("1") },
  { mediaType: tar, digest: digest("2") },
];
const encrypting = (...positions: readonly number[]) =>
  ({ kind: "encrypt", wrappings: [], layers: positions }) as const;

describe("cryptedLayers", () => {
  test.each([
    ["nothing where nothing is wished", undefined, []],
    ["all layers that are not encrypted", encrypting(), ["0", "2"]],
    ["the layers that are named, from either end", encrypting(0, -1, 2), ["0", "2"]],
    ["no layer twice", encrypting(1), []],
    ["all layers that are encrypted", { kind: "decrypt", openings: [] } as const, ["1"]],
  ])("chooses %s", (_, wish, chosen) => {
    expect([...cryptedLayers(layers, wish)]).toEqual(chosen.map(digest));
  });

  test.each([3, -4])("refuses position %d", (position) => {
    expect(() => cryptedLayers(layers, encrypting(position))).toThrow(
      `when choosing layers to encrypt, layer index ${position} out of range (3 layers exist)`,
    );
  });
});

describe("compressionBefore", () => {
  const chunked = { format: "zstd:chunked", exclusive: false } as const;

  test("takes plain zstd where chunks would be of no use, and says so", () => {
    const { compression, warning } = compressionBefore(encrypting(), chunked);
    expect(compression?.format).toBe("zstd");
    expect(warning).toContain("is not beneficial for encrypted layers");
  });

  test("refuses chunks that are insisted on", () => {
    const insisting = { ...chunked, exclusive: true };
    expect(() => compressionBefore(encrypting(), insisting)).toThrow(
      "explicitly requested to combine zstd:chunked with encryption",
    );
  });

  test("leaves all else as it is", () => {
    expect(compressionBefore(undefined, chunked)).toEqual({ compression: chunked });
    const gzip = { format: "gzip", exclusive: true } as const;
    expect(compressionBefore(encrypting(), gzip)).toEqual({ compression: gzip });
  });
});
