import { describe, expect, test } from "bun:test";
import { quoted, shown } from "../../core/foreign-text.ts";

describe("shown", () => {
  test.each([
    ["line breaks", "a\r\nb\tc", "a\\r\\nb\\tc"],
    ["escape codes", "\u001b[2J\u009b1m\u007f\0", "\\x1b[2J\\x9b1m\\x7f\\x00"],
    ["overrides of the writing direction", "a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"],
    ["separators of lines and paragraphs", "a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["nothing else", 'é "quoted" \\ 日本 🙂', 'é "quoted" \\ 日本 🙂'],
  ])("O1: escapes %s", (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test("O1: cuts at 1 KiB and says so", () => {
    expect(shown("x".repeat(1024))).toBe("x".repeat(1024));
    expect(shown("x".repeat(1025))).toBe(`${"x".repeat(1024)}…`);
  });
});

describe("quoted", () => {
  test("O1: lets no quote end the text early", () => {
    expect(quoted('a"b\\c\nd')).toBe('"a\\"b\\\\c\\nd"');
    expect(quoted("abcd", 2)).toBe('"ab…"');
  });
});
