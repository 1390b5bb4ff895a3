// Header blocks, as the formats have them and as attackers do.

import { describe, expect, test } from "bun:test";
import {
  isZeroBlock,
  parseTarHeader,
  type TarHeader,
  untilNul,
} from "../../../core/blob/tar-header.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";
import { tarHeader, tarHeaderWith } from "../../support/tar-bytes.ts";

const file = { path: "name" };
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const parsedWith = (changes: Readonly<Record<number, string>>): TarHeader =>
  parseTarHeader(tarHeaderWith(file, changes));

describe("parseTarHeader", () => {
  test("reads every field", () => {
    const block = tarHeader(
      {
        path: new Uint8Array([0x61, 0xff]),
        kind: "characterDevice",
        target: "there",
        mode: 0o4755,
        uid: 7,
        gid: 8,
        mtime: 9,
        device: [1, 3],
      },
      5,
    );
    expect(parseTarHeader(block)).toEqual({
      typeFlag: "3",
      name: new Uint8Array([0x61, 0xff]),
      link: new TextEncoder().encode("there"),
      size: 5,
      mode: 0o4755,
      uid: 7,
      gid: 8,
      modifiedNs: 9_000_000_000n,
      userName: new Uint8Array(),
      groupName: new Uint8Array(),
      deviceMajor: 1,
      deviceMinor: 3,
      moreHoles: false,
    });
  });

  test.each([
    [
      "ustar: all of the prefix",
      "ustar\x0000",
      { 345: "p".repeat(155) },
      `${"p".repeat(155)}/name`,
    ],
    [
      "star: the prefix ends before the times",
      "ustar\x0000",
      { 345: "p".repeat(155), 508: "tar\0" },
      `${"p".repeat(131)}/name`,
    ],
    ["GNU: no prefix", "ustar  \0", { 345: "00000000000" }, "name"],
    ["v7: nothing beyond the link", "\0\0\0\0\0\0\0\0", { 345: "prefix" }, "name"],
  ])("reads names of %s", (_, magic, changes, name) => {
    expect(latin(parsedWith({ 257: magic, ...changes }).name)).toBe(name);
  });

  test.each([
    ["blanks in front", "      12 \0", 10],
    ["NULs behind", "12\0\0\0\0\0\0\0\0\0\0", 10],
    ["no end mark", "777777777777", 8 ** 12 - 1],
    ["nothing", "\0\0\0\0\0\0\0\0\0\0\0\0", 0],
    ["a binary number", "\x80\0\0\0\0\0\0\x02\x40\0\0\0", 9 * 2 ** 30],
  ])("P5: reads a size with %s", (_, size, value) => {
    expect(parsedWith({ 124: size.padEnd(12, "\0") }).size).toBe(value);
  });

  test("reads a time before 1970", () => {
    expect(parsedWith({ 136: "\xff".repeat(12) }).modifiedNs).toBe(-1_000_000_000n);
  });

  test.each([
    ["a negative size", { 124: `\xff${"\xff".repeat(11)}` }, "Tar header has the negative size -1"],
    [
      "a size beyond all disks",
      { 124: `\x80${"\x7f".repeat(11)}` },
      /^Tar header has an invalid size/,
    ],
    ["digits that are not octal", { 124: "00000000008\0" }, /^Tar header has an invalid size/],
    ["a sign", { 124: "-0000000001\0" }, /^Tar header has an invalid size/],
    ["something between the digits", { 124: "0000 000001\0" }, /^Tar header has an invalid size/],
  ])("P5: refuses %s", (_, changes, message) => {
    expect(failureOf(() => parsedWith(changes))).toMatchObject({
      code: "corrupt",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  test("P5: refuses a wrong checksum", () => {
    const block = Buffer.from(tarHeader(file));
    block[0] = 0x7a;
    expect(failureOf(() => parseTarHeader(block))).toMatchObject({
      message: "Not a tar archive: a header has the wrong checksum",
    });
  });

  test("takes the checksum of programs that counted signed bytes", () => {
    const block = Buffer.from(tarHeader({ path: new Uint8Array([0xff, 0xfe]) }));
    const sum = Number.parseInt(latin(block.subarray(148, 154)), 8);
    block.write((sum - 512).toString(8).padStart(6, "0"), 148, "latin1");
    expect(parseTarHeader(block).name).toEqual(new Uint8Array([0xff, 0xfe]));
  });

  test("tells when a map of holes goes on", () => {
    const holes = { 156: "S", 257: "ustar  \0", 482: "\x01" };
    expect(parsedWith(holes).moreHoles).toBe(true);
    expect(parsedWith({ ...holes, 482: "\0" }).moreHoles).toBe(false);
    expect(parsedWith({ ...holes, 156: "0" }).moreHoles).toBe(false);
  });

  test("fails on noise with nothing but a Failure", () => {
    for (let round = 0; round < 200; round++) {
      const block = Buffer.concat([randomBytes(`header/${round}`, 512)]);
      expect(failureOf(() => parseTarHeader(block))).toMatchObject({ code: "corrupt" });
    }
  });
});

test("isZeroBlock tells the end from anything else", () => {
  expect(isZeroBlock(new Uint8Array(512))).toBe(true);
  expect(isZeroBlock(new Uint8Array(512).with(511, 1))).toBe(false);
});

test("untilNul leaves out what follows the end of a text", () => {
  expect(latin(untilNul(new Uint8Array([0x61, 0, 0x62])))).toBe("a");
  expect(latin(untilNul(new Uint8Array([0x61, 0x62])))).toBe("ab");
});
