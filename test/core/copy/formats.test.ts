import { describe, expect, test } from "bun:test";

import { type CompressionFormat, manifestTypes } from "../../../core/content/media-types.ts";
import { type FormatWish, planFormats } from "../../../core/copy/formats.ts";

const { oci, ociIndex, schema1, schema1Signed, schema2 } = manifestTypes;

function wish(types: readonly string[], change: Partial<FormatWish> = {}): FormatWish {
  return {
    own: schema2,
    traits: {
      manifestTypes: types,
      layers: "compress",
      keepsForeignUrls: false,
      holdsLists: true,
      concurrent: true,
    },
    frozenBecause: undefined,
    format: undefined,
    compression: undefined,
    encrypted: false,
    ...change,
  };
}

const registry = [oci, schema2, ociIndex, schema1Signed, schema1];

describe("planFormats", () => {
  test.each<[string, readonly string[], Partial<FormatWish>, readonly string[]]>([
    [
      "keeps its type with gzip",
      registry,
      { compression: "gzip" },
      [schema2, schema1Signed, oci, schema1],
    ],
    ["leaves Docker's types for zstd", registry, { compression: "zstd" }, [oci]],
    ["leaves them for zstd:chunked", registry, { compression: "zstd:chunked" }, [oci]],
    ["leaves them where anything is taken", [], { compression: "zstd" }, [oci]],
    [
      "keeps what may not change, whatever is asked for",
      registry,
      { compression: "zstd", frozenBecause: "so" },
      [schema2],
    ],
  ])("%s", (_, types, change, expected) => {
    expect(planFormats(wish(types, change))).toEqual(expected as never);
  });

  test.each<[CompressionFormat, readonly string[], Partial<FormatWish>, string]>([
    [
      "zstd",
      registry,
      { format: schema2 },
      `together with format ${schema2}, which does not support it`,
    ],
    [
      "bzip2",
      [oci, ociIndex],
      {},
      `but the destination only supports MIME types [${oci}, ${ociIndex}], none of which support it`,
    ],
    [
      "zstd",
      [schema2],
      {},
      `but the destination only supports MIME types [${schema2}], none of which support it`,
    ],
    ["Xz", [], {}, ", but none of the known manifest formats support it"],
    ["Xz", [], { frozenBecause: "so" }, ", but none of the known manifest formats support it"],
  ])("finds nothing that can tell of %s", (compression, types, change, words) => {
    const gap = words.startsWith(",") ? "" : " ";
    expect(() => planFormats(wish(types, { ...change, compression }))).toThrow(
      `compression using ${compression} required${gap}${words}`,
    );
  });

  test.each<[CompressionFormat, string]>([
    ["gzip", "encryption required"],
    ["zstd", "compression using zstd, and encryption, required"],
  ])("says of what is encrypted, and %s, what could not be told of", (compression, words) => {
    expect(() => planFormats(wish([schema2], { compression, encrypted: true }))).toThrow(words);
  });
});
