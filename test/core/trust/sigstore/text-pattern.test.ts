import { describe, expect, test } from "bun:test";

import { parseTextPattern } from "../../../../core/trust/sigstore/text-pattern.ts";
import { randomBytes } from "../../../support/random.ts";

const fits = (source: string, text: string) => parseTextPattern(source).fits(text);

describe("parseTextPattern", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ["", [""], ["a"]],
    ["abc", ["abc"], ["ab", "abcd", "xabc", "ABC"]],
    ["^abc$", ["abc"], ["abcd", "$abc"]],
    ["a.c", ["abc", "a.c", "aéc", "a😀c"], ["ac", "a\nc"]],
    ["a\\.c", ["a.c"], ["abc"]],
    ["a\\$", ["a$"], ["a"]],
    ["a\\\\$", ["a\\"], ["a"]],
    ["a|bc|", ["a", "bc", ""], ["ab", "c"]],
    ["(a|b)(c|d)", ["ac", "bd"], ["a", "abcd"]],
    ["(?:a|b)c", ["ac"], ["c"]],
    ["ab*c", ["ac", "abbbc"], ["abb"]],
    ["(ab)+", ["ab", "abab"], ["", "aba"]],
    ["ab?c", ["ac", "abc"], ["abbc"]],
    ["a{2}", ["aa"], ["a", "aaa"]],
    ["a{2,}", ["aa", "aaaa"], ["a"]],
    ["a{1,3}b", ["ab", "aaab"], ["b", "aaaab"]],
    ["(a|bc){0,2}", ["", "bca"], ["aaa"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "-x"]],
    ["[^a-c]", ["d", "-"], ["a"]],
    ["[a-]+", ["a-a"], ["b"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[.*+]", [".", "*"], ["a"]],
    ["[\\]\\d]+", ["]1"], ["a"]],
    ["\\d+\\w\\s", ["12_ "], ["1"]],
    ["\\D\\W\\S", ["a- x".replace(" ", "")], ["1-x"]],
    [
      "https://github\\.com/org/[^/]+/\\.github/workflows/.*@refs/tags/v.*",
      ["https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1"],
      [
        "https://github.com/org/app/x/.github/workflows/a.yml@refs/tags/v1",
        "https://github.com.evil.test/org/app/.github/workflows/a.yml@refs/tags/v1",
      ],
    ],
    ["(a*)*b", ["b", "aab"], ["a"]],
    ["((a|b)*|c)+d", ["abcd", "d"], ["abc"]],
  ])("%s fits the whole of what it should", (source, yes, no) => {
    for (const text of yes) expect([text, fits(source, text)]).toEqual([text, true]);
    for (const text of no) expect([text, fits(source, text)]).toEqual([text, false]);
  });

  test.each([
    "(",
    ")",
    "a)",
    "(a",
    "[",
    "[a",
    "[b-a]",
    "*",
    "+a",
    "a|*",
    "{2}",
    "a{2",
    "a{x}",
    "a{,2}",
    "a{3,2}",
    "a^b",
    "a$b",
    "\\",
    "a\\b",
    "\\1",
    "(?=a)",
    "(?<x>a)",
    "(?i)a",
    "\\p{L}",
    "(a{999}){999}",
    `${"(".repeat(100)}${")".repeat(100)}`,
  ])("refuses %j", (source) => {
    expect(() => parseTextPattern(source)).toThrow("regular expression");
  });

  test("agrees with the runtime wherever both have an opinion", () => {
    const parts = [
      "a",
      "b",
      "ab",
      ".",
      "[ab]",
      "[^a]",
      "(a|b)",
      "a*",
      "(ab)+",
      "b?",
      "a{1,2}",
      "|",
    ];
    const noise = randomBytes("pattern", 6000);
    for (let round = 0; round < 500; round++) {
      const own = noise.subarray(round * 12, round * 12 + 12);
      const source = [...own.subarray(0, 5)].map((byte) => parts[byte % parts.length]).join("");
      const text = [...own.subarray(5)].map((byte) => "abc"[byte % 3]).join("");
      expect([source, text, fits(source, text)]).toEqual([
        source,
        text,
        new RegExp(`^(?:${source})$`).test(text),
      ]);
    }
  });

  test("P6: takes time that grows with the text only", () => {
    const begun = performance.now();
    expect(fits("(a|a)*(a|aa)+(a*)*b", "a".repeat(20_000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
