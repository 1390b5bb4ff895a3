import { describe, expect, test } from "bun:test";

import type { Json } from "../../../core/json.ts";
import {
  bytesOf,
  entriesOf,
  itemsOf,
  membersOf,
  needed,
  parseDocument,
  textOf,
  typeOf,
} from "../../../core/trust/strict-json.ts";
import { failureOf } from "../../support/failure-of.ts";

const encoder = new TextEncoder();
const documentOf = (text: string) => parseDocument(encoder.encode(text));
const placed = (value: Json) => ({ value, at: "here" });

describe("parseDocument", () => {
  test.each([
    ["a repeated key", `{"a":1,"a":1}`, 'Duplicate key "a"'],
    ["a key repeated in other spelling", `{"a":1,"\\u0061":1}`, 'Duplicate key "a"'],
    ["a key repeated deep inside", `{"a":[{"b":{},"b":{}}]}`, 'Duplicate key "b"'],
    ["data after the document", "{} {}", "Unexpected data after JSON object"],
    ["half a document", `{"a":`, "unexpected end of JSON input"],
  ])("G5: fails on %s", (_, text, message) => {
    expect(failureOf(() => documentOf(text))).toMatchObject({ code: "config", message });
  });
});

describe("entriesOf", () => {
  test("P4: treats every name as data", () => {
    const entries = entriesOf(documentOf(`{"__proto__":1,"constructor":2}`));
    expect([...entries.keys()]).toEqual(["__proto__", "constructor"]);
    expect(entries.get("toString")).toBeUndefined();
  });

  test("says where each member stands", () => {
    const outer = entriesOf(documentOf(`{"a":{"b":[{"c/d":0}]}}`)).get("a");
    const items = itemsOf(entriesOf(outer!).get("b")!);
    expect(entriesOf(items[0]!).get("c/d")).toEqual({ value: 0, at: `a.b[0]["c/d"]` });
  });
});

describe("membersOf", () => {
  test("fails on a name that is not known, also in other letter case, and says where", () => {
    expect(failureOf(() => membersOf(documentOf(`{"Type":1}`), ["type"]))).toMatchObject({
      code: "config",
      message: 'Unknown key "Type"',
      hint: "look at Type",
    });
  });

  test("fails on a name that every object seems to have", () => {
    expect(failureOf(() => membersOf(documentOf(`{"toString":1}`), ["type"]))).toMatchObject({
      message: 'Unknown key "toString"',
    });
  });
});

test("needed fails on a member that is not there", () => {
  const object = placed({ a: 1 });
  const members = membersOf(object, ["a", "b"]);
  expect(needed(object, members, "a")).toEqual({ value: 1, at: "here.a" });
  expect(failureOf(() => needed(object, members, "b"))).toMatchObject({
    message: 'Key "b" missing in a JSON object',
    hint: "look at here",
  });
});

test("typeOf takes nothing and null for the empty type", () => {
  expect(typeOf(placed({ type: "x" }))).toBe("x");
  expect(typeOf(placed({}))).toBe("");
  expect(typeOf(placed({ type: null }))).toBe("");
});

const values: readonly (readonly [kind: string, value: Json])[] = [
  ["null", null],
  ["a boolean", true],
  ["a number", 1],
  ["a string", "!"],
  ["an array", []],
  ["an object", {}],
];

const readers = [
  ["object", "an object", entriesOf],
  ["array", "an array", itemsOf],
  ["string", "a string", textOf],
] as const;

describe.each(readers)("the reader of an %s", (wanted, own, read) => {
  test.each(values.filter(([kind]) => kind !== own))("fails on %s", (kind, value) => {
    expect(failureOf(() => void read(placed(value)))).toMatchObject({
      code: "config",
      message: `JSON ${wanted} expected, got ${kind}`,
      hint: "look at here",
    });
  });
});

describe("bytesOf", () => {
  test.each([
    ["", ""],
    ["YQ==", "a"],
    ["YWI=", "ab"],
    ["YWJj", "abc"],
    ["YW\r\nJj\n", "abc"],
    ["+/+/", "\xfb\xff\xbf"],
  ])("reads %j", (text, bytes) => {
    expect(Buffer.from(bytesOf(placed(text))).toString("latin1")).toBe(bytes);
  });

  test.each(["YQ", "YQ=", "YQ===", "Y", "=", "YQ==YQ==", "YW Jj", "-_-_", "YWJj!"])(
    "fails on %j",
    (text) => {
      expect(failureOf(() => bytesOf(placed(text)))).toMatchObject({
        message: "illegal base64 data",
      });
    },
  );

  test("P6: takes time that grows with the length only", () => {
    const began = performance.now();
    failureOf(() => bytesOf(placed(`${"A".repeat(1 << 20)}=====`)));
    // What grows with the square takes minutes; a busy machine does not.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
