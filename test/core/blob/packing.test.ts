import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { decompressed } from "../../../core/blob/decompress.ts";
import { packing } from "../../../core/blob/packing.ts";
import { chunkedAnnotations } from "../../../core/content/chunked-layer.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { tarOf } from "../../support/tar-bytes.ts";

const content = Buffer.concat([Buffer.alloc(300_000, "dray "), randomBytes("packing", 10_000)]);
const limit = 1_000_000;
const annotate = (): void => undefined;

describe("packing", () => {
  test("annotates only what is chunked", async () => {
    const archive = tarOf([{ path: "a", body: content }]);
    const said = async (format: "gzip" | "zstd" | "zstd:chunked") => {
      const names: string[] = [];
      const annotate = (annotations: object) => void names.push(...Object.keys(annotations));
      const pack = await packing({ format, annotate });
      await collect(pack(chunked(archive, 1000)), limit);
      return names;
    };
    expect(await said("gzip")).toEqual([]);
    expect(await said("zstd")).toEqual([]);
    expect(await said("zstd:chunked")).toEqual(Object.values(chunkedAnnotations));
  });

  test.each([
    ["gzip", undefined],
    ["gzip", -2],
    ["gzip", -1],
    ["gzip", 0],
    ["gzip", 9],
    ["zstd", undefined],
    ["zstd", 19],
  ] as const)("of %s at level %p is undone by decompressed", async (format, level) => {
    const pack = await packing({ format, level, annotate });
    const back = await collect(decompressed(format)(pack(chunked(content, 1000))), limit);
    expect(Buffer.from(back).equals(content)).toBe(true);
  });

  test("takes -1 for the usual level of gzip", async () => {
    const packed = async (level: number | undefined) => {
      const pack = await packing({ format: "gzip", level, annotate });
      return Buffer.from(await collect(pack(chunked(content, 1000)), limit));
    };
    expect((await packed(-1)).equals(await packed(undefined))).toBe(true);
    expect((await packed(0)).length).toBeGreaterThan(content.length);
  });

  test.each([-3, 10, 1.5])("refuses level %p of gzip", async (level) => {
    const failure = await rejection(packing({ format: "gzip", level, annotate }));
    expect(failure.message).toBe(`gzip: invalid compression level: ${level}`);
  });
});
