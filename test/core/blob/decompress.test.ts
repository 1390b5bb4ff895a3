import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";

import { collect } from "../../../core/blob/collect.ts";
import { decompressed, detectCompression } from "../../../core/blob/decompress.ts";
import { Failure } from "../../../core/failure.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";

const content = Buffer.concat([Buffer.alloc(300_000, "dray "), randomBytes("decompress", 100_000)]);
const limit = 8 * 1024 * 1024;

describe("detectCompression", () => {
  test.each([
    ["gzip", "1f8b0800", "gzip"],
    ["zstd", "28b52ffd04", "zstd"],
    ["bzip2", "425a6839", "bzip2"],
    ["xz", "fd377a585a0000", "xz"],
    ["a tar", "2e2f000000", "none"],
    ["nothing", "", "none"],
    ["the half of a magic", "1f8b", "none"],
  ])("tells %s by its first bytes", (_, hex, expected) => {
    expect(detectCompression(Buffer.from(hex, "hex"))).toBe(expected as never);
  });
});

const formats = [
  ["gzip", gzipSync(content)],
  ["zstd", Buffer.from(Bun.zstdCompressSync(content))],
] as const;

describe.each(formats)("decompressed %s", (format, packed) => {
  const unpack = (bytes: Uint8Array, size = 4096) =>
    collect(decompressed(format)(chunked(bytes, size)), limit);

  test.each([1, 4096, 1_000_000])("gives the content back, %d bytes at a time", async (size) => {
    expect(Buffer.from(await unpack(packed, size)).equals(content)).toBe(true);
  });

  test("C6 joins several members", async () => {
    const twice = await unpack(Buffer.concat([packed, packed]));
    expect(Buffer.from(twice).equals(Buffer.concat([content, content]))).toBe(true);
  });

  test.each([
    ["garbage behind the end", Buffer.concat([packed, Buffer.from("garbage")])],
    ["one byte behind the end", Buffer.concat([packed, Buffer.from([7])])],
    ["zeros behind the end", Buffer.concat([packed, Buffer.alloc(512)])],
    ["a cut by two bytes", packed.subarray(0, -2)],
    ["a cut in the middle", packed.subarray(0, packed.length >> 1)],
    ["a second member cut off", Buffer.concat([packed, packed.subarray(0, -2)])],
    ["nothing at all", new Uint8Array()],
  ])("C6 fails on %s", async (_, bytes) => {
    const failure: unknown = await unpack(bytes).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "corrupt" });
  });

  test("passes on the failure of what feeds it", async () => {
    const feed = async function* () {
      yield packed.subarray(0, 1000);
      throw new Failure("unavailable", "connection reset");
    };
    const failure: unknown = await collect(decompressed(format)(feed()), limit).catch((e) => e);
    expect(failure).toMatchObject({ code: "unavailable", message: "connection reset" });
  });

  test("releases what feeds it when the reader leaves early", async () => {
    let released = false;
    const feed = async function* () {
      try {
        for (;;) yield packed;
      } finally {
        released = true;
      }
    };
    for await (const _ of decompressed(format)(feed())) break;
    await Bun.sleep(10);
    expect(released).toBe(true);
  });
});

test("C6 gzip fails on a wrong checksum", async () => {
  const packed = gzipSync(content);
  packed[packed.length - 6]! ^= 1;
  const unpacking = collect(decompressed("gzip")(chunked(packed, 4096)), limit);
  expect(unpacking).rejects.toMatchObject({ code: "corrupt" });
});

test.each(["bzip2", "xz"] as const)("decompressed refuses %s by its name", (format) => {
  expect(() => decompressed(format)).toThrow(`compressed with ${format}`);
});
