// Extended records: bytes that say how long they are.

import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import {
  bytesRecord,
  numberRecord,
  parseTarRecords,
  timeRecord,
} from "../../../core/blob/tar-records.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

const parse = (text: string) => parseTarRecords(Buffer.from(text, "latin1"));

describe("parseTarRecords", () => {
  test("keeps values byte for byte", () => {
    const records = parse("30 SCHILY.xattr.a=\xff\xfe\0=\n x y z\n12 path=a b\n");
    expect(Buffer.from(records.get("SCHILY.xattr.a") ?? []).toString("latin1")).toBe(
      "\xff\xfe\0=\n x y z",
    );
    expect(Buffer.from(records.get("path") ?? []).toString()).toBe("a b");
  });

  test("reads nothing as no records", () => {
    expect(parse("").size).toBe(0);
  });

  test.each([
    ["no length", "path=a\n"],
    ["a length of nothing", "0 path=a\n"],
    ["a length beyond the end", "99 path=a\n"],
    ["a length that ends in its own digits", "3 path=a\n"],
    ["a length that leaves a byte over", "8 path=a\n"],
    ["a negative length", "-9 path=a\n"],
    ["padding behind the last record", "9 path=a\n\0\0"],
    ["a length of many digits", `${"9".repeat(400)} path=a\n`],
  ])("P5: refuses %s", (_, text) => {
    expect(failureOf(() => parse(text))).toMatchObject({
      code: "corrupt",
      message: "Extended tar header has a record of the wrong length",
    });
  });

  test.each([
    ["no key", "6 =ab\n", "Extended tar header has a record without a key"],
    ["no value", "6 pat\n", "Extended tar header has a record without a key"],
    ["a NUL in a name", "12 path=a\0b\n", "Extended tar header has a NUL in path"],
    [
      "P5: two sizes",
      "10 size=1\n10 size=2\n",
      "Extended tar header contradicts itself about size",
    ],
  ])("refuses %s", (_, text, message) => {
    expect(failureOf(() => parse(text))).toMatchObject({ code: "corrupt", message });
  });

  test("lets the last of two equal or harmless records count", () => {
    expect(numberRecord(parse("10 size=1\n10 size=1\n"), "size")).toBe(1);
    expect(numberRecord(parse("8 uid=1\n8 uid=2\n"), "uid")).toBe(2);
  });

  test("fails on noise with nothing but a Failure", () => {
    const pieces = ["1", "0 ", "path=", "=", "\n", "\0", "size=", "a"];
    for (let round = 0; round < 500; round++) {
      const text = [...randomBytes(`records/${round}`, 12)]
        .map((die) => pieces[die % pieces.length])
        .join("");
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof Failure)) throw new Error(`round ${round}: ${text}`);
      }
    }
  });
});

describe("a record as", () => {
  const records = (value: string) => new Map([["key", new TextEncoder().encode(value)]]);

  test.each([
    ["1", 1],
    ["-7", -7],
    ["9007199254740991", 9007199254740991],
    ["", undefined],
  ])("a number: %j", (text, number) => {
    expect(numberRecord(records(text), "key")).toBe(number);
  });

  test.each([["9007199254740993"], ["1.5"], ["0x1"], [" 1"], ["1e3"]])(
    "P5: no number: %j",
    (text) => {
      expect(failureOf(() => numberRecord(records(text), "key"))).toMatchObject({
        code: "corrupt",
      });
    },
  );

  test.each([
    ["1", 1_000_000_000n],
    ["1.5", 1_500_000_000n],
    ["-1.25", -1_250_000_000n],
    ["1.0000000019", 1_000_000_001n],
    ["", undefined],
  ])("a time: %j", (text, time) => {
    expect(timeRecord(records(text), "key")).toBe(time);
  });

  test("no time", () => {
    expect(failureOf(() => timeRecord(records("noon"), "key"))).toMatchObject({ code: "corrupt" });
  });

  test("bytes, where there are any", () => {
    expect(bytesRecord(records("a"), "key")).toEqual(new Uint8Array([0x61]));
    expect(bytesRecord(records(""), "key")).toBeUndefined();
    expect(bytesRecord(records("a"), "other")).toBeUndefined();
  });
});
