// Inodes: what is said of files.

import { describe, expect, test } from "bun:test";
import { readInode } from "../../../../transports/sif/squashfs/inode.ts";
import { MetadataCursor } from "../../../../transports/sif/squashfs/metadata.ts";
import { rejection } from "../../../support/rejection.ts";

describe("readInode", () => {
  test.each<[what: string, type: number, rest: readonly (number | bigint)[], said: object]>([
    [
      "a directory",
      1,
      [7, 2, 0x0005_0064, 0],
      { links: 2, content: { kind: "directory", listing: { block: 7, offset: 5 }, size: 100 } },
    ],
    [
      "a directory with more to it",
      8,
      [2, 100_000, 7, 0, 0x0005_0000, 3],
      {
        links: 2,
        attributes: 3,
        content: { kind: "directory", listing: { block: 7, offset: 5 }, size: 100_000 },
      },
    ],
    [
      "a file",
      2,
      [96, 0xffff_ffff, 0, 1234],
      { links: 1, content: { kind: "file", start: 96, size: 1234 } },
    ],
    [
      "a file with a fragment",
      2,
      [96, 4, 50, 1234],
      { content: { kind: "file", fragment: { index: 4, offset: 50 } } },
    ],
    [
      "a large file with other names",
      9,
      [96n, 2n ** 40n, 0n, 3, 0xffff_ffff, 0, 0xffff_ffff],
      { links: 3, content: { kind: "file", start: 96, size: 2 ** 40 } },
    ],
    [
      "a link",
      3,
      [1, 4, 0x6c2f_2e2e],
      { content: { kind: "symlink", target: Buffer.from("../l") } },
    ],
    [
      "a device",
      5,
      [1, 0x0010_0401],
      { content: { kind: "characterDevice", major: 4, minor: 257 } },
    ],
    [
      "a device with attributes",
      11,
      [1, 0x0801, 9],
      { attributes: 9, content: { kind: "blockDevice", major: 8, minor: 1 } },
    ],
    ["a pipe", 6, [1], { content: { kind: "fifo" } }],
    ["a socket", 14, [1, 0xffff_ffff], { content: { kind: "socket" } }],
  ])("reads %s", async (_, type, rest, said) => {
    const inode = await readInode(cursorOn(type, rest));
    expect(inode).toMatchObject({
      mode: 0o4755,
      uid: 1,
      gid: 2,
      modified: 1_700_000_000,
      number: 42,
      ...said,
    });
    if (!("attributes" in said)) expect(inode.attributes).toBeUndefined();
  });

  test.each<[what: string, type: number, rest: readonly (number | bigint)[]]>([
    ["an unknown type", 15, [0, 0, 0]],
    ["a link longer than any path", 3, [1, 4097]],
    ["a file larger than any", 9, [96n, 2n ** 60n, 0n, 3, 0, 0, 0]],
    ["too little", 1, [7]],
  ])("P1: refuses %s", async (_, type, rest) => {
    expect(await rejection(readInode(cursorOn(type, rest)))).toMatchObject({ code: "corrupt" });
  });
});

/** Numbers are four bytes each, and big ones eight. */
function cursorOn(type: number, rest: readonly (number | bigint)[]): MetadataCursor {
  const head = Buffer.alloc(16);
  head.writeUInt16LE(type, 0);
  head.writeUInt16LE(0o4755, 2);
  head.writeUInt16LE(1, 4);
  head.writeUInt16LE(2, 6);
  head.writeUInt32LE(1_700_000_000, 8);
  head.writeUInt32LE(42, 12);
  const numbers = rest.map((number) => {
    const bytes = Buffer.alloc(typeof number === "bigint" ? 8 : 4);
    if (typeof number === "bigint") bytes.writeBigUInt64LE(number);
    else bytes.writeUInt32LE(number);
    return bytes;
  });
  const bytes = Buffer.concat([head, ...numbers]);
  return new MetadataCursor(async () => ({ bytes, next: 0 }), 0, 0);
}
