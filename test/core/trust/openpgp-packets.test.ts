import { describe, expect, test } from "bun:test";

import { readPackets } from "../../../core/trust/openpgp-packets.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

const bytes = (...parts: readonly (number | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part)));
const content = (length: number) => Buffer.alloc(length, 7);

describe("readPackets", () => {
  test.each<[string, Uint8Array, number, number]>([
    ["old, one byte", bytes(0x88, 3, content(3)), 2, 3],
    ["old, two bytes", bytes(0x89, 1, 0, content(256)), 2, 256],
    ["old, four bytes", bytes(0xa2, 0, 0, 0, 2, content(2)), 8, 2],
    ["old, to the end", bytes(0xa3, content(9)), 8, 9],
    ["new, one byte", bytes(0xc2, 191, content(191)), 2, 191],
    ["new, two bytes", bytes(0xc2, 192, 0, content(192)), 2, 192],
    ["new, the longest of two bytes", bytes(0xcb, 223, 255, content(8383)), 11, 8383],
    ["new, five bytes", bytes(0xfc, 255, 0, 0, 0, 1, content(1)), 60, 1],
    ["new, in parts", bytes(0xcb, 0xe1, content(2), 0xe0, content(1), 4, content(4)), 11, 7],
    ["empty", bytes(0xc2, 0), 2, 0],
  ])("reads a header that is %s", (_, input, tag, length) => {
    expect(readPackets(input)).toEqual([{ tag, body: content(length), whole: input }]);
  });

  test("cuts bytes into packets, to the last", () => {
    const input = bytes(0xc2, 1, 7, 0x88, 2, 7, 7, 0xcb, 0);
    expect(readPackets(input).map(({ tag, whole }) => [tag, whole.length])).toEqual([
      [2, 3],
      [2, 4],
      [11, 2],
    ]);
    expect(readPackets(new Uint8Array())).toEqual([]);
  });

  test.each<[string, Uint8Array]>([
    ["no header", bytes(0x3d, 0)],
    ["a header that ends", bytes(0xc2)],
    ["a length that ends", bytes(0xc2, 255, 0, 0)],
    ["a body that ends", bytes(0xc2, 3, content(2))],
    ["a body far beyond the end", bytes(0xc2, 255, 255, 255, 255, 255, content(9))],
    ["parts without a last", bytes(0xcb, 0xe1, content(2))],
    ["an old length that ends", bytes(0x89, 1)],
  ])("refuses %s", (_, input) => {
    expect(failureOf(() => readPackets(input))).toMatchObject({
      code: "corrupt",
      message: expect.stringMatching(/^Invalid OpenPGP data: /),
    });
  });

  test("ends on whatever bytes there are", () => {
    const random = randomBytes("packets", 20_000);
    for (let at = 0; at + 40 <= random.length; at += 10) {
      const input = random.subarray(at, at + 40);
      try {
        const total = readPackets(input).reduce((sum, { whole }) => sum + whole.length, 0);
        expect(total).toBe(40);
      } catch (error) {
        expect(error).toMatchObject({ code: "corrupt" });
      }
    }
  });
});
