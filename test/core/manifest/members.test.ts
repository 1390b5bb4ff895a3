import { describe, expect, test } from "bun:test";

import { parseStrictJson } from "../../../core/json.ts";
import { Members } from "../../../core/manifest/members.ts";
import { failureOf } from "../../support/failure-of.ts";
import { someDigest } from "../../support/sample-manifests.ts";

function membersOf(text: string): Members {
  return new Members(parseStrictJson(text));
}

describe("Members", () => {
  test("reads each type, and something harmless where there is nothing", () => {
    const members = membersOf(
      '{"text":"a","Number":7,"list":["a",null],"map":{"__proto__":"x","n":null},"object":{"text":"b"},"objects":[{"text":"c"}],"no":null}',
    );
    expect(members.text("text")).toBe("a");
    expect(members.integer("number")).toBe(7);
    expect(members.texts("list")).toEqual(["a", ""]);
    expect(Object.entries(members.textsByName("map") ?? {})).toEqual([
      ["__proto__", "x"],
      ["n", ""],
    ]);
    expect(members.object("object")?.text("text")).toBe("b");
    expect(members.needed("object").text("text")).toBe("b");
    expect(members.objects("objects").map((each) => each.text("text"))).toEqual(["c"]);
    expect(["text", "TEXT", "no", "other"].map((name) => members.has(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([members.text("no"), members.integer("no"), members.texts("no")]).toEqual([
      "",
      0,
      undefined,
    ]);
    expect([members.textsByName("no"), members.object("no"), members.objects("no")]).toEqual([
      undefined,
      undefined,
      [],
    ]);
  });

  test.each<[string, string, (members: Members) => unknown, string]>([
    ["no object", "[]", () => 0, "it is not an object"],
    ["a text", '{"a":1}', (m) => m.text("a"), "a is not a string"],
    ["a number", '{"a":"1"}', (m) => m.integer("a"), "a is not a number"],
    ["an integer", '{"a":1.5}', (m) => m.integer("a"), "a is 1.5, no exact integer"],
    ["texts", '{"a":"b"}', (m) => m.texts("a"), "a is not an array"],
    ["texts only", '{"a":["b",1]}', (m) => m.texts("a"), "a[1] is not a string"],
    ["a map", '{"a":[]}', (m) => m.textsByName("a"), "a is not an object"],
    ["a map of texts", '{"a":{"b":1}}', (m) => m.textsByName("a"), 'a["b"] is not a string'],
    ["an object", '{"a":1}', (m) => m.object("a"), "a is not an object"],
    ["what is needed", '{"a":null}', (m) => m.needed("a"), "a is missing"],
    ["objects", '{"a":[{},1]}', (m) => m.objects("a"), "a[1] is not an object"],
    ["deep down", '{"a":[{"b":1}]}', (m) => m.objects("a")[0]?.text("b"), "a[0].b is not a string"],
    [
      "one spelling of a name (C4)",
      '{"a":{"layers":1,"Layers":2}}',
      (m) => m.object("a")?.has("layers"),
      'a is ambiguous, with both "layers" and "Layers"',
    ],
  ])("wants %s", (_, text, read, message) => {
    expect(failureOf(() => read(membersOf(text)))).toMatchObject({
      code: "corrupt",
      message: `Invalid manifest: ${message}`,
    });
  });

  test.each([
    ["negative", "-1", "size is -1, less than nothing"],
    ["a fraction", "1.5", "size is 1.5, no exact integer"],
    ["above 2^53", "9007199254740993", "size is 9007199254740992, no exact integer"],
    ["endless", "1e999", "size is Infinity, no exact integer"],
    ["a text", '"5"', "size is not a number"],
    ["missing", "null", "size is missing"],
  ])("refuses a size that is %s (C2)", (_, size, message) => {
    expect(failureOf(() => membersOf(`{"size":${size}}`).size("size"))).toMatchObject({
      code: "corrupt",
      message: `Invalid manifest: ${message}`,
    });
  });

  test.each([0, 1, 2 ** 53 - 1])("takes a size of %d", (size) => {
    expect(membersOf(`{"size":${size}}`).size("size")).toBe(size);
  });

  test("parses digests, and says where one is none (C1)", () => {
    const digest = someDigest("x");
    expect(membersOf(`{"digest":"${digest}"}`).digest("digest")).toBe(digest);
    const bad = () => membersOf('{"a":[{"digest":"sha256:../../x"}]}').objects("a")[0];
    expect(failureOf(() => bad()?.digest("digest"))).toMatchObject({
      code: "corrupt",
      message: 'a[0].digest: invalid digest "sha256:../../x": invalid checksum digest length',
    });
  });
});
