import { describe, expect, test } from "bun:test";

import { expandTemplate, parseGoRegexp } from "../../../core/sync/go-regexp.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";

describe("parseGoRegexp", () => {
  test.each([
    ["^1\\.13\\.[12]-alpine-perl$", "1.13.1-alpine-perl", true],
    ["^1\\.13\\.[12]-alpine-perl$", "1.13.3-alpine-perl", false],
    ["alpine", "3-alpine-x", true],
    ["(?i)RC", "1.0-rc1", true],
    ["(?i:r)C", "1.0-rc1", false],
    ["\\Av\\d+\\z", "v12", true],
    ["^[[:digit:].]+$", "1.2.3", true],
    ["^[^[:digit:]]+$", "a1", false],
    ["^\\p{Lu}", "É", true],
    ["^\\P{Lu}$", "É", false],
    ["^\\pL+$", "äb", true],
    ["^\\p{Greek}$", "λ", true],
    ["^(?P<name>a|b){2,3}$", "aba", true],
    ["^(?P<name>a|b){2,3}$", "abab", false],
    ["^\\Qa.b\\E$", "a.b", true],
    ["^\\x41\\x{42}$", "AB", true],
    ["a{,2}", "a{,2}", true],
    ["", "anything", true],
    ["\\bfoo\\b", "a-foo.b", true],
    ["\\bfoo\\b", "afoo", false],
    ["^.$", "😀", true],
    ["(?s)^.$", "\n", true],
    ["^.$", "\n", false],
    ["(?m)^b$", "a\nb", true],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["a||b", "", true],
  ])("%s on %j: %p", (pattern, text, expected) => {
    expect(parseGoRegexp(pattern).test(text)).toBe(expected);
  });

  test.each([
    ["(", "error parsing regexp: missing closing ): `(`"],
    [")", "error parsing regexp: unexpected ): `)`"],
    ["[a", "error parsing regexp: missing closing ]: `[a`"],
    ["*a", "error parsing regexp: missing argument to repetition operator: `*`"],
    ["a**", "error parsing regexp: invalid nested repetition operator: `**`"],
    ["a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"],
    ["a{3,2}", "error parsing regexp: invalid repeat count: `{3,2}`"],
    ["a\\", "error parsing regexp: trailing backslash at end of expression: ``"],
    ["\\y", "error parsing regexp: invalid escape sequence: `\\y`"],
    ["x(?<=a)b", "error parsing regexp: invalid named capture: `(?<=a)b`"],
    ["(?P<n", "error parsing regexp: invalid named capture: `(?P<n`"],
    ["(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"],
    ["[b-a]", "error parsing regexp: invalid character class range: `b-a`"],
    ["[[:foo:]]", "error parsing regexp: invalid character class range: `[:foo:]`"],
    ["(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`"],
    [`${"(".repeat(2000)}${")".repeat(2000)}`, /expression nests too deeply/],
    ["((a{1000}){1000}){1000}", /expression too large/],
    ["a".repeat(5000), /more than 4096/],
  ])("refuses %s", (pattern, message) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);
    const failure = failureOf(() => parseGoRegexp(pattern));
    expect(failure).toMatchObject({ code: "usage", message: expected });
  });

  test("P6: takes time that grows with the text only, whatever the pattern", () => {
    const started = performance.now();
    const text = "a".repeat(128);
    for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(x+x+)+y"]) {
      parseGoRegexp(pattern).test(`${text}!`);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("finds what the runtime finds, groups and all", () => {
    const random = randomBytes("go-regexp", 60_000);
    let at = 0;
    const below = (count: number) => (random[at++ % random.length] ?? 0) % count;
    const part = (depth: number): string => {
      const one = () => {
        const kind = below(depth > 2 ? 4 : 7);
        if (kind < 2) return "ab."[below(3)] ?? "a";
        if (kind === 2) return "[^a]";
        if (kind === 3) return "[ab]";
        if (kind === 4) return `(${part(depth + 1)})`;
        return kind === 5 ? `(?:${part(depth + 1)})` : `(?:${part(depth + 1)}|${part(depth + 1)})`;
      };
      const times = ["", "", "*", "+", "?", "*?", "{1,2}"];
      // What may be empty and is repeated, the runtime does not repeat as Go does.
      const piece = one();
      const empty = new RegExp(`^(?:${piece})$`).test("");
      return piece + (empty ? "" : times[below(times.length)]) + (below(2) === 0 ? "" : one());
    };
    for (let round = 0; round < 1500; round++) {
      const pattern = part(0);
      const text = Array.from({ length: below(7) }, () => "abc"[below(3)]).join("");
      const found = parseGoRegexp(pattern).find(text);
      const expected = new RegExp(pattern, "d").exec(text);
      const whole = expected?.indices?.[0];
      expect({ pattern, text, found: found?.slice(0, 2) }).toEqual({ pattern, text, found: whole });
    }
  });
});

describe("expandTemplate", () => {
  test.each([
    ["^library/(.*)$", "library/alpine", "mirror/$1", "mirror/alpine"],
    ["(a)(b)?", "a", "<$0|$1|$2>", "<a|a|>"],
    ["a", "a", "$$1", "$1"],
    ["(.)", "x", "${1}0", "x0"],
  ])("%s on %s by %s", (pattern, text, template, expected) => {
    const found = parseGoRegexp(pattern).find(text);
    expect(expandTemplate(template, text, found ?? [])).toBe(expected);
  });
});
