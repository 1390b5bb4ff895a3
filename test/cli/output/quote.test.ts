// Quoting: nothing from outside starts a line, moves a cursor or turns the writing direction.

import { describe, expect, test } from "bun:test";

import { harmless, isPlainWord, quoted, quotedCharacter } from "../../../cli/output/quote.ts";

describe("quoted", () => {
  test.each([
    ["", '""'],
    ["plain text", '"plain text"'],
    ['say "a\\b"', '"say \\"a\\\\b\\""'],
    ["a\nb\tc\rd", '"a\\nb\\tc\\rd"'],
    ["\x07\b\f\v\0\x1b\x7f", '"\\a\\b\\f\\v\\x00\\x1b\\x7f"'],
    ["\u0085\u00a0\u202e\u2028\ufeff", '"\\u0085\\u00a0\\u202e\\u2028\\ufeff"'],
    ["Größe 日本 𝄞 😀", '"Größe 日本 𝄞 😀"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("O1: spells %j as Go does", (text, spelled) => {
    expect(quoted(text)).toBe(spelled);
  });

  test("spells single characters in single quotes", () => {
    expect(quotedCharacter("'")).toBe("'\\''");
    expect(quotedCharacter('"')).toBe("'\"'");
    expect(quotedCharacter("\n")).toBe("'\\n'");
  });
});

describe("isPlainWord", () => {
  test.each(["", "a", "docker.io/library/busybox", "a@b+c^d_e-f", "9"])("lets %s stand", (word) => {
    expect(isPlainWord(word)).toBe(true);
  });
  test.each(["a b", "a:b", 'a"', "a=b", "é", "a\n"])("wants quotes for %j", (word) => {
    expect(isPlainWord(word)).toBe(false);
  });
});

describe("harmless", () => {
  test("O1: keeps lines and letters, and escapes what would act on a terminal", () => {
    expect(harmless("a\nb\tc\\d")).toBe("a\nb\tc\\d");
    expect(harmless("\x1b[2J\r\u202eok")).toBe("\\x1b[2J\\r\\u202eok");
  });
});
