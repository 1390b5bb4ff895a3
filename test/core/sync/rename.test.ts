import { describe, expect, test } from "bun:test";

import { parseRenames } from "../../../core/sync/rename.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("parseRenames", () => {
  test.each([
    [["s|^library/|mirror/|"], "library/alpine:3", "mirror/alpine:3"],
    [["s|^library/|mirror/|"], "team/library/alpine:3", "team/library/alpine:3"],
    [["s,/,-,g"], "a/b/c:1", "a-b-c:1"],
    [["s,/,-,"], "a/b/c:1", "a-b/c:1"],
    [["s/^(.*)\\/(.*)$/\\2\\/$1/"], "a/b", "b/a"],
    [["s|A|x|i"], "aA", "xA"],
    [["s|A|x|gi"], "aA", "xx"],
    [["s|a|b|", "s|b|c|"], "a", "c"],
    [["s|$|-old|"], "a:1", "a:1-old"],
    [["s|x*|-|g"], "ab", "-a-b-"],
    [["s|^a|-|g"], "aab", "-ab"],
    [["s|a.b|y|"], "a/b", "y"],
    [["s#a\\.b#y#"], "a/b", "a/b"],
  ])("%j makes %s into %s", (rules, name, expected) => {
    expect(parseRenames(rules)?.(name)).toBe(expected);
  });

  test("is nothing without rules", () => {
    expect(parseRenames([])).toBeUndefined();
  });

  test.each(["", "s", "s|a|b", "x|a|b|", "s|a|b|c|", "s|a|b|q", "sxaxbx"])("refuses %j", (rule) => {
    expect(failureOf(() => parseRenames([rule]))).toMatchObject({ code: "usage" });
  });

  test("says what is wrong with a pattern", () => {
    expect(failureOf(() => parseRenames(["s|(|b|"]))).toMatchObject({
      message: 'Cannot use the rule "s|(|b|": error parsing regexp: missing closing ): `(`',
    });
  });
});
