// Metadata: tables made of blocks.

import { describe, expect, test } from "bun:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import {
  decompressedBlock,
  Metadata,
  type MetadataCursor,
} from "../../../../transports/sif/squashfs/metadata.ts";
import { randomBytes } from "../../../support/random.ts";
import { rejection } from "../../../support/rejection.ts";
import { withWindow } from "../../../support/sif-files.ts";

// Compresses, and does not repeat itself.
const content = Buffer.from(Buffer.from(randomBytes("metadata", 10_000)).toString("hex"));
const [first, second, third] = [
  content.subarray(0, 8192),
  content.subarray(8192, 16384),
  content.subarray(16384),
];
const table = Buffer.concat([stored(first), compressed(second), stored(third)]);

describe("Metadata", () => {
  test.each([
    [0, 10],
    [8190, 4],
    [0, 20_000],
    [8192, 8192],
    [8000, 9000],
    [19_999, 1],
    [100, 0],
  ])("reads from %d on %d bytes, over the borders of blocks", async (at, size) => {
    const read = await reading(table, (cursor) => cursor.read(size), at);
    expect(Buffer.compare(read, content.subarray(at, at + size))).toBe(0);
  });

  test("reads on where it stopped", async () => {
    const read = await reading(table, async (cursor) =>
      Buffer.concat([await cursor.read(5000), await cursor.read(5000), await cursor.read(10_000)]),
    );
    expect(Buffer.compare(read, content)).toBe(0);
  });

  test.each<[what: string, bytes: Uint8Array, at: number, size: number]>([
    ["beyond the end", table, 0, 20_001],
    ["behind the end of a short block", table.subarray(0, 8194), 9000, 1],
    ["behind the end of the last block", stored(third), 8192, 1],
    ["in an empty block", stored(new Uint8Array()), 0, 1],
    ["in a block that does not decompress", Buffer.from([4, 0, 1, 2, 3, 4]), 0, 1],
    ["in a block that is too large", Buffer.concat([Buffer.from([1, 0xa0]), content]), 0, 1],
    ["in a block that is cut off", table.subarray(0, 100), 0, 1],
    ["in a block that decompresses to more than it may", compressed(new Uint8Array(8193)), 0, 1],
  ])("refuses to read %s", async (_, bytes, at, size) => {
    const failure = await rejection(reading(bytes, (cursor) => cursor.read(size), at));
    expect(failure.code).toBe("corrupt");
  });

  test("finds entries of a table by their number", async () => {
    // The places of the blocks stand behind the blocks.
    const places = Buffer.alloc(24);
    const starts = [0, 8194, 8194 + compressed(second).length];
    for (const [index, start] of starts.entries()) {
      places.writeBigUInt64LE(BigInt(start), index * 8);
    }
    const bytes = Buffer.concat([table, places]);
    await withWindow(bytes, async (window) => {
      const metadata = new Metadata(window, "gzip");
      for (const index of [0, 1, 511, 512, 1249]) {
        const entry = await metadata.entry(table.length, index, 16);
        expect(Buffer.compare(entry, content.subarray(index * 16, index * 16 + 16))).toBe(0);
      }
    });
  });
});

describe("decompressedBlock", () => {
  test.each(["gzip", "zstd"] as const)("P1: refuses %s that is cut off", async (kind) => {
    const whole = (kind === "gzip" ? deflateSync : zstdCompressSync)(content.subarray(0, 8192));
    const failure = await rejection(decompressedBlock(kind, whole.subarray(0, -1), 8192));
    expect(failure.code).toBe("corrupt");
  });

  test("undoes gzip and zstd", async () => {
    const bytes = new TextEncoder().encode("a block, a block, a block");
    expect(await decompressedBlock("gzip", deflateSync(bytes), 100)).toEqual(Buffer.from(bytes));
    expect(await decompressedBlock("zstd", zstdCompressSync(bytes), 100)).toEqual(
      Buffer.from(bytes),
    );
  });

  test.each(["gzip", "zstd"] as const)("P1: refuses what %s makes too much of", async (kind) => {
    const bomb = (kind === "gzip" ? deflateSync : zstdCompressSync)(new Uint8Array(10_000_000));
    expect(await rejection(decompressedBlock(kind, bomb, 8192))).toMatchObject({ code: "corrupt" });
  });
});

async function reading(
  bytes: Uint8Array,
  read: (cursor: MetadataCursor) => Promise<Buffer>,
  at = 0,
): Promise<Buffer> {
  return await withWindow(bytes, (window) =>
    read(new Metadata(window, "gzip").cursor(0, { block: 0, offset: at })),
  );
}

function stored(bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(2);
  head.writeUInt16LE(0x8000 | bytes.length);
  return Buffer.concat([head, bytes]);
}

function compressed(bytes: Uint8Array): Uint8Array {
  const body = deflateSync(bytes);
  const head = Buffer.alloc(2);
  head.writeUInt16LE(body.length);
  return Buffer.concat([head, body]);
}
