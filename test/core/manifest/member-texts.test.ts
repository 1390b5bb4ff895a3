import { describe, expect, test } from "bun:test";

import { readMemberTexts, writeMemberTexts } from "../../../core/manifest/member-texts.ts";
import { failureOf } from "../../support/failure-of.ts";

describe("readMemberTexts", () => {
  test.each([
    ["a number, to the digit", '{"a": 1.50e3 , "b":123456789012345678901234567890}', "1.50e3"],
    ["escapes", String.raw`{"a":"\u00fc\/\"\\"}`, String.raw`"\u00fc\/\"\\"`],
    ["blanks in a text, and none else", '{\n"a" : [ 1 , { "x y" : null } ] }', '[1,{"x y":null}]'],
    ["the last of equal names", '{"a":1,"b":2,"a":3}', "3"],
    ["a name that is escaped", String.raw`{"\u0061":true}`, "true"],
    ["brackets in a text", '{"a":"}],{"}', '"}],{"'],
  ])("keeps %s", (_, text, expected) => {
    expect(readMemberTexts(text).get("a")).toBe(expected);
  });

  test("escapes what Go escapes for HTML", () => {
    expect(readMemberTexts('{"a":"<&>\u2028\u2029"}').get("a")).toBe(
      String.raw`"\u003c\u0026\u003e\u2028\u2029"`,
    );
  });

  test("finds nothing in an empty object", () => {
    expect(readMemberTexts("{ }").size).toBe(0);
  });

  test.each(["", "[]", "null", '{"a":}', '{"a":1}}', "{'a':1}", '{"a":1,}'])(
    "refuses %j",
    (text) => {
      expect(failureOf(() => readMemberTexts(text))).toMatchObject({ code: "corrupt" });
    },
  );

  test("takes a long text in time that grows with its length only", () => {
    const text = JSON.stringify({ a: '\\"'.repeat(500_000), b: Array(200_000).fill(1) });
    const started = performance.now();
    expect(writeMemberTexts(readMemberTexts(text))).toBe(text);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("writeMemberTexts", () => {
  test("sorts names by their bytes", () => {
    const members = readMemberTexts('{"b":1,"a":2,"\u{1f600}":3,"\uffee":4,"B":5,"<":6}');
    expect(writeMemberTexts(members)).toBe(
      String.raw`{"\u003c":6,"B":5,"a":2,"b":1,"${"\uffee"}":4,"${"\u{1f600}"}":3}`,
    );
  });

  test("is read back as it was", () => {
    const text = '{"a":{"b":[1,2.0]},"c":"x"}';
    expect(writeMemberTexts(readMemberTexts(text))).toBe(text);
  });
});
