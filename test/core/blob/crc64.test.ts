import { describe, expect, test } from "bun:test";
import { Crc64 } from "../../../core/blob/crc64.ts";

const bytes = new Uint8Array(1000).map((_, at) => (at * 197 + (at >> 3)) & 0xff);

/** The definition, bit by bit. */
function slowly(content: Uint8Array): string {
  let state = 0xffff_ffff_ffff_ffffn;
  for (const byte of content) {
    state ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      state = (state >> 1n) ^ (state & 1n ? 0xd800_0000_0000_0000n : 0n);
    }
  }
  return (state ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, "0");
}

function crcOf(...pieces: readonly Uint8Array[]): string {
  const crc = new Crc64();
  for (const piece of pieces) crc.update(piece);
  return crc.digest().toHex();
}

describe("Crc64", () => {
  test("has the check value of its kind", () => {
    expect(crcOf(new TextEncoder().encode("123456789"))).toBe("b90956c775a41001");
  });

  test("of nothing is zero", () => {
    expect(crcOf()).toBe("0000000000000000");
  });

  test.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 1000])("is as defined, %d bytes at a time", (size) => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    expect(crcOf(...pieces)).toBe(slowly(bytes));
  });
});
