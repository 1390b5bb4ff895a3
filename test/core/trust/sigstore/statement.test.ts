import { describe, expect, test } from "bun:test";

import {
  checkPointer,
  parseStatement,
  valueAt,
} from "../../../../core/trust/sigstore/statement.ts";
import { signingPredicate, statementOf } from "../../../support/bundles.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const one = "1".repeat(64);

describe("parseStatement", () => {
  test("reads what it is about, in either version", () => {
    const statement = statementOf({ subjects: [one, "x"] });
    expect(parseStatement(bytes(statement))).toMatchObject({
      predicateType: signingPredicate,
      subjects: [one, "x"],
    });
    parseStatement(bytes({ ...statement, _type: "https://in-toto.io/Statement/v0.1" }));
  });

  test("knows no subject by another digest than SHA-256", () => {
    const subject = [{ digest: { sha512: one } }, { name: "x" }, null, { digest: { sha256: 1 } }];
    const { subjects } = parseStatement(bytes({ ...statementOf(), subject }));
    expect(subjects).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each([
    [[], "unknown type"],
    [{ ...statementOf(), _type: "https://in-toto.io/Statement/v2" }, "unknown type"],
    [{ ...statementOf(), predicateType: "" }, "no predicate type"],
    [{ ...statementOf(), subject: [] }, "about nothing"],
    [{ ...statementOf(), subject: {} }, "about nothing"],
  ])("refuses %j", (value, why) => {
    expect(() => parseStatement(bytes(value))).toThrow(why);
  });

  test("G6: refuses a member that stands there twice", () => {
    const text = JSON.stringify(statementOf()).replace("{", '{"subject":[],');
    expect(() => parseStatement(new TextEncoder().encode(text))).toThrow('Duplicate key "subject"');
  });
});

test("valueAt follows JSON pointers", () => {
  const json = { a: { "b/c~d": [{ e: 1 }, null] }, "": false };
  expect(valueAt(json, "/a/b~1c~0d/0/e")).toBe(1);
  expect(valueAt(json, "/a/b~1c~0d/1")).toBeNull();
  expect(valueAt(json, "/")).toBe(false);
  for (const nowhere of [
    "/x",
    "/a/b~1c~0d/2",
    "/a/b~1c~0d/00/e",
    "/a/b~1c~0d/length",
    "/constructor",
    "/a/__proto__",
  ]) {
    expect(valueAt(json, nowhere)).toBeUndefined();
  }
});

test("checkPointer takes pointers only", () => {
  for (const pointer of ["/", "/a", "/a/0", "/a~1b/~0"]) checkPointer(pointer);
  for (const text of ["", "a", "a/b", "/a~", "/~2"])
    expect(() => checkPointer(text)).toThrow("JSON pointer");
});
