// Superblocks.

import { describe, expect, test } from "bun:test";
import { metadataPlace, readSuperblock } from "../../../../transports/sif/squashfs/superblock.ts";
import { rejection } from "../../../support/rejection.ts";
import { withWindow } from "../../../support/sif-files.ts";

describe("readSuperblock", () => {
  test("says where everything is", async () => {
    expect(await withWindow(superblock(), readSuperblock)).toEqual({
      compression: "gzip",
      blockBytes: 131072,
      idCount: 1,
      fragmentCount: 2,
      root: { block: 3, offset: 4 },
      tables: { ids: 100, attributes: 2 ** 64, inodes: 102, directories: 103, fragments: 104 },
      hasAttributes: false,
    });
  });

  test.each([
    [1, undefined],
    [6, undefined],
    [2, "Cannot decompress a SquashFS that is compressed with lzma"],
    [4, "Cannot decompress a SquashFS that is compressed with xz"],
    [5, "Cannot decompress a SquashFS that is compressed with lz4"],
    [77, "Cannot decompress a SquashFS that is compressed with method 77"],
  ])("knows compression %d or names it", async (number, message) => {
    const work = withWindow(
      superblock((bytes) => bytes.writeUInt16LE(number, 20)),
      readSuperblock,
    );
    if (message === undefined) expect(await work).toBeDefined();
    else expect(await rejection(work)).toMatchObject({ code: "unsupported", message });
  });

  test.each<[what: string, bytes: Uint8Array, code: string]>([
    ["another file system", superblock((bytes) => bytes.write("EXT3")), "unsupported"],
    ["an older version", superblock((bytes) => bytes.writeUInt16LE(3, 28)), "unsupported"],
    ["blocks of no size", superblock((bytes) => bytes.writeUInt32LE(0, 12)), "corrupt"],
    [
      "blocks that contradict themselves",
      superblock((bytes) => bytes.writeUInt16LE(18, 22)),
      "corrupt",
    ],
    [
      "blocks of 1 GiB",
      superblock((bytes) => {
        bytes.writeUInt32LE(2 ** 30, 12);
        bytes.writeUInt16LE(30, 22);
      }),
      "corrupt",
    ],
    ["too little", superblock().subarray(0, 95), "corrupt"],
  ])("refuses %s", async (_, bytes, code) => {
    const failure = await rejection(withWindow(bytes, readSuperblock));
    expect(failure.code as string).toBe(code);
  });
});

describe("metadataPlace", () => {
  test("parts a reference", () => {
    expect(metadataPlace(0x0000_1234_5678_9abcn)).toEqual({ block: 0x12345678, offset: 0x9abc });
  });
});

function superblock(change: (bytes: Buffer) => unknown = () => {}): Uint8Array {
  const bytes = Buffer.alloc(96);
  bytes.write("hsqs");
  bytes.writeUInt32LE(131072, 12);
  bytes.writeUInt32LE(2, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(17, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(4, 28);
  bytes.writeBigUInt64LE(0x3_0004n, 32);
  bytes.writeBigUInt64LE(100n, 48);
  bytes.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56);
  bytes.writeBigUInt64LE(102n, 64);
  bytes.writeBigUInt64LE(103n, 72);
  bytes.writeBigUInt64LE(104n, 80);
  change(bytes);
  return bytes;
}
