// Literals: what each kind of flag takes for its value, and how it complains.

import { describe, expect, test } from "bun:test";
import {
  readDuration,
  readInteger,
  readRecord,
  readSize,
  readToggle,
  readUnsigned,
} from "../../../cli/flags/literals.ts";
import { failureOf } from "../../support/failure-of.ts";

function refusal(work: () => unknown): string {
  const failure = failureOf(work);
  expect(failure).toMatchObject({ name: "Failure", code: "usage" });
  return (failure as Error).message;
}

describe("readToggle", () => {
  test.each(["1", "t", "T", "TRUE", "true", "True"])("takes %s for on", (text) => {
    expect(readToggle(text)).toBe(true);
  });
  test.each(["0", "f", "F", "FALSE", "false", "False"])("takes %s for off", (text) => {
    expect(readToggle(text)).toBe(false);
  });
  test.each(["", "yes", "no", "on", "tRUE", " true", "2", "toString"])("refuses %p", (text) => {
    expect(refusal(() => readToggle(text))).toBe(
      `strconv.ParseBool: parsing "${text}": invalid syntax`,
    );
  });
});

describe("readInteger", () => {
  test.each([
    ["0", 0],
    ["-0", -0],
    ["+5", 5],
    ["-12", -12],
    ["1_000", 1000],
    ["0x10", 16],
    ["0X_fF", 255],
    ["0b11", 3],
    ["0o17", 15],
    ["017", 15],
    ["0_7", 7],
    ["00", 0],
    ["-9223372036854775808", -(2 ** 63)],
  ])("reads %s as %d", (text, value) => {
    expect(readInteger(text) + 0).toBe(value + 0);
  });
  test.each(["", "x", "08", "1__0", "_1", "1_", "0x", "1e3", "1.0", " 1", "--1", "0x1g", "١"])(
    "refuses %p as no number",
    (text) => {
      expect(refusal(() => readInteger(text))).toBe(
        `strconv.ParseInt: parsing "${text}": invalid syntax`,
      );
    },
  );
  test.each(["9223372036854775808", "-9223372036854775809", "0xffffffffffffffff"])(
    "refuses %s as too large",
    (text) => {
      expect(refusal(() => readInteger(text))).toBe(
        `strconv.ParseInt: parsing "${text}": value out of range`,
      );
    },
  );
});

describe("readUnsigned", () => {
  test("reads the largest number of 64 bits", () => {
    expect(readUnsigned("18446744073709551615")).toBe(2 ** 64);
  });
  test.each([
    ["-1", "invalid syntax"],
    ["+1", "invalid syntax"],
    ["18446744073709551616", "value out of range"],
  ])("refuses %s: %s", (text, why) => {
    expect(refusal(() => readUnsigned(text))).toBe(`strconv.ParseUint: parsing "${text}": ${why}`);
  });
});

describe("readDuration", () => {
  test.each([
    ["0", 0],
    ["-0", 0],
    ["300ms", 300],
    ["1.5h", 5_400_000],
    ["2h45m", 9_900_000],
    [".5s", 500],
    ["1.s", 1000],
    ["+1s", 1000],
    ["-1s", -1000],
    ["1µs", 0.001],
    ["1μs", 0.001],
    ["1us", 0.001],
    ["10ns", 0.00001],
  ])("reads %s as %d milliseconds", (text, value) => {
    expect(readDuration(text) + 0).toBe(value);
  });
  test.each([
    ["", 'time: invalid duration ""'],
    ["s", 'time: invalid duration "s"'],
    [".", 'time: invalid duration "."'],
    ["abc", 'time: invalid duration "abc"'],
    ["9999999h", 'time: invalid duration "9999999h"'],
    ["5", 'time: missing unit in duration "5"'],
    ["00", 'time: missing unit in duration "00"'],
    ["1s1", 'time: missing unit in duration "1s1"'],
    ["1.5.5s", 'time: missing unit in duration "1.5.5s"'],
    ["1y", 'time: unknown unit "y" in duration "1y"'],
    ["1 s", 'time: unknown unit " s" in duration "1 s"'],
    ["1sm", 'time: unknown unit "sm" in duration "1sm"'],
    ['1"h', 'time: unknown unit "\\"h" in duration "1\\"h"'],
    ["1constructor", 'time: unknown unit "constructor" in duration "1constructor"'],
  ])("refuses %p", (text, message) => {
    expect(refusal(() => readDuration(text))).toBe(message);
  });
});

describe("readSize", () => {
  test.each([
    ["1", 1],
    ["100000", 100_000],
    ["512b", 512],
    ["1k", 1024],
    ["1K", 1024],
    ["10m", 10_485_760],
    ["10M", 10_485_760],
    ["10MiB", 10_485_760],
    ["1G", 1_073_741_824],
    ["1kB", 1000],
    ["100MB", 100_000_000],
    ["2GB", 2_000_000_000],
  ])("reads %s as %d bytes", (text, value) => {
    expect(readSize(text)).toBe(value);
  });
  test.each([
    "",
    "0",
    "0M",
    "-1",
    "+1",
    "1.5M",
    "M",
    "1 M",
    "1T",
    "1constructor",
    "9".repeat(16),
    "9999999999G",
  ])("refuses %p", (text) => {
    expect(refusal(() => readSize(text))).toBe(
      `invalid size ${JSON.stringify(text)}: write a number of bytes, or one with k, M or G behind it`,
    );
  });
});

describe("readRecord", () => {
  test.each([
    ["", []],
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    [",", ["", ""]],
    ["a,", ["a", ""]],
    [" a , b ", [" a ", " b "]],
    ['"a,b",c', ["a,b", "c"]],
    ['"a""b"', ['a"b']],
    ['"a\nb"', ["a\nb"]],
    // Only the first line is the record.
    ["a\nb", ["a"]],
    ['x\n"y', ["x"]],
    ["\na", ["a"]],
  ])("reads %j as %j", (text, fields) => {
    expect(readRecord(text)).toEqual(fields);
  });
  test.each([
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['é"', 'parse error on line 1, column 3: bare " in non-quoted-field'],
    ['\nx"', 'parse error on line 2, column 2: bare " in non-quoted-field'],
    ['"ab', 'parse error on line 1, column 4: extraneous or missing " in quoted-field'],
    ['x,"y', 'parse error on line 1, column 5: extraneous or missing " in quoted-field'],
    ['"a"b', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['"é"x', 'parse error on line 1, column 4: extraneous or missing " in quoted-field'],
    ["\n", "EOF"],
  ])("refuses %j", (text, message) => {
    expect(refusal(() => readRecord(text))).toBe(message);
  });
});
