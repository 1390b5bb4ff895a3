import { describe, expect, test } from "bun:test";

import {
  derBitString,
  derBoolean,
  derItems,
  derOid,
  derSmallInteger,
  derTime,
  derValue,
} from "../../../../core/trust/sigstore/der.ts";
import { der, integer, oid, sequence, text, time } from "../../../support/der-bytes.ts";
import { randomBytes } from "../../../support/random.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const valueOf = (whole: Uint8Array) => derValue(whole, whole[0] ?? 0);

describe("derValue", () => {
  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])("reads %d bytes of content", (size) => {
    const content = randomBytes("der", size);
    expect(derValue(der(0x04, content), 0x04).content).toEqual(content);
  });

  test.each([
    ["nothing", bytes()],
    ["another tag", bytes(0x05, 0)],
    ["a tag of several bytes", bytes(0x1f, 0x81, 0x01, 0)],
    ["an indefinite length", bytes(0x04, 0x80, 0, 0)],
    ["a length that could be shorter", bytes(0x04, 0x81, 0x01, 0)],
    [
      "a length with a leading zero",
      Uint8Array.from([0x04, 0x82, 0x00, 0x80, ...Array(128).fill(0)]),
    ],
    ["a length of five bytes", bytes(0x04, 0x85, 1, 0, 0, 0, 0)],
    ["less than was promised", bytes(0x04, 2, 0)],
    ["a length that is cut", bytes(0x04, 0x82, 1)],
    ["bytes behind it", bytes(0x04, 0, 0)],
  ])("refuses %s", (_, broken) => {
    expect(() => derValue(broken, 0x04)).toThrow("malformed DER");
  });
});

test("derItems returns what stands in a sequence, and refuses what is cut", () => {
  expect(derItems(valueOf(sequence(integer(1), integer(2)))).map(derSmallInteger)).toEqual([1, 2]);
  expect(() => derItems(valueOf(bytes(0x30, 2, 0x04, 5)))).toThrow("exceeds");
});

describe("derOid", () => {
  test.each(["1.3.6.1.4.1.57264.1.8", "2.5.29.17", "2.100.3", "0.9", "1.2.840.113549.1.1.11"])(
    "reads %s",
    (dotted) => {
      expect(derOid(valueOf(oid(dotted)))).toBe(dotted);
    },
  );

  test.each([
    [bytes(0x06, 0)],
    [bytes(0x06, 2, 0x2a, 0x86)],
    [bytes(0x06, 3, 0x2a, 0x80, 0x01)],
    [Uint8Array.from([0x06, 10, 0x2a, ...Array(8).fill(0xff), 0x7f])],
  ])("refuses %j", (broken) => {
    expect(() => derOid(valueOf(broken))).toThrow("object identifier");
  });
});

test("derBoolean takes the two truths, and no third", () => {
  expect(derBoolean(valueOf(bytes(1, 1, 0xff)))).toBe(true);
  expect(derBoolean(valueOf(bytes(1, 1, 0)))).toBe(false);
  expect(() => derBoolean(valueOf(bytes(1, 1, 1)))).toThrow("truth");
  expect(() => derBoolean(valueOf(bytes(1, 0)))).toThrow("truth");
});

test("derSmallInteger takes numbers from zero to 2^47, in their shortest spelling", () => {
  for (const value of [0, 1, 127, 128, 255, 256, 2 ** 40]) {
    expect(derSmallInteger(valueOf(integer(value)))).toBe(value);
  }
  for (const broken of [
    bytes(2, 0),
    bytes(2, 1, 0x80),
    bytes(2, 2, 0, 1),
    bytes(2, 7, 1, 0, 0, 0, 0, 0, 0),
  ]) {
    expect(() => derSmallInteger(valueOf(broken))).toThrow("number");
  }
});

test("derBitString takes whole bytes only", () => {
  expect(derBitString(valueOf(bytes(3, 2, 0, 7)))).toEqual(bytes(7));
  expect(() => derBitString(valueOf(bytes(3, 2, 1, 8)))).toThrow("odd bits");
  expect(() => derBitString(valueOf(bytes(3, 0)))).toThrow("odd bits");
});

describe("derTime", () => {
  test("reads both kinds", () => {
    const at = new Date("2026-06-15T12:00:01Z");
    expect(derTime(valueOf(time(at)))).toEqual(at);
    expect(derTime(valueOf(text(0x17, "260615120001Z")))).toEqual(at);
    expect(derTime(valueOf(text(0x17, "500101000000Z"))).getUTCFullYear()).toBe(1950);
    expect(derTime(valueOf(text(0x17, "491231235959Z"))).getUTCFullYear()).toBe(2049);
  });

  test.each([
    [text(0x17, "2606151200Z")],
    [text(0x17, "260615120001+0100")],
    [text(0x17, "260231120001Z")],
    [text(0x18, "20260615120001.5Z")],
    [text(0x18, "20261315120001Z")],
    [text(0x18, "260615120001Z")],
    [text(0x16, "260615120001Z")],
  ])("refuses %j", (broken) => {
    expect(() => derTime(valueOf(broken))).toThrow("odd time");
  });
});
