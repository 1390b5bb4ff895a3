import { describe, expect, test } from "bun:test";

import { parseFirstYaml, parseYaml } from "../../core/yaml.ts";
import { rejection } from "../support/rejection.ts";

const parse = (text: string) => parseYaml(Buffer.from(text));

describe("parseYaml", () => {
  test.each<[string, unknown]>([
    ["", ""],
    ["# nothing", ""],
    ["1.10", "1.10"],
    ["yes", "yes"],
    ["0777", "0777"],
    ["null", ""],
    ["'null'", "null"],
    [
      "a: ~\nb: Null\nc: NULL\nd: nULL",
      new Map([
        ["a", ""],
        ["b", ""],
        ["c", ""],
        ["d", "nULL"],
      ]),
    ],
    ["[~, a, null, '~']", ["a", "~"]],
    ["- a\n- 'b: c'", ["a", "b: c"]],
    ["a:", new Map([["a", ""]])],
    ["a: {b: [1, 2]}", new Map([["a", new Map([["b", ["1", "2"]]])]])],
    [
      "x: &a [1]\ny: *a",
      new Map([
        ["x", ["1"]],
        ["y", ["1"]],
      ]),
    ],
    ["__proto__: {polluted: 1}", new Map([["__proto__", new Map([["polluted", "1"]])]])],
    ["<<: {b: 1}", new Map([["<<", new Map([["b", "1"]])]])],
  ])("reads %j without guessing", async (text, value) => {
    expect(await parse(text)).toEqual(value as never);
  });

  test.each([
    ["a: b: c", /^yaml: Nested mappings are not allowed in compact mappings at line 1, column 4$/],
    ["a: 1\na: 2", /^yaml: Map keys must be unique at line 2, column 1$/],
    ["x: [{b: {c: 1, 'c': 2}}]", /^yaml: Map keys must be unique at line 1, column 16$/],
    ["~: 1\nnull: 2", /^yaml: Map keys must be unique/],
    ["a: 1\n---\nb: 2", /^yaml: the text holds more than one document$/],
    ["a: *b", /^yaml: Unresolved alias/],
    ["? [a]\n: b", /^yaml: a key is not text$/],
    ["x: &a {b: *a}", /^yaml: /],
    ["[".repeat(100) + "]".repeat(100), /^yaml: it is nested too deeply$/],
    [
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh".replace(/./g, (c, i: number) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]\n`)}`,
      /^yaml: Excessive alias count/,
    ],
  ])("refuses %j", async (text, message) => {
    expect(await rejection(parse(text))).toMatchObject({
      code: "config",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["keys", Array.from({ length: 4000 }, (_, index) => `k${index}: v`).join("\n"), undefined],
    [
      "errors",
      "&a ".repeat(4000),
      /^yaml: A node can have at most one anchor at line 1, column 4$/,
    ],
    ["brackets", "[".repeat(10_000), /^yaml: Maximum call stack size exceeded/],
  ])("bears many %s", async (_, text, message) => {
    const read = parse(text);
    if (message === undefined) expect((await read) as object).toHaveProperty("size", 4000);
    else expect((await rejection(read)).message).toMatch(message);
  });

  test("refuses what is no text", async () => {
    expect((await rejection(parseYaml(Uint8Array.of(0xff)))).code).toBe("config");
  });
});

test("parseFirstYaml reads the first document, and says whether there are others", async () => {
  const first = (text: string) => parseFirstYaml(Buffer.from(text));
  const value = new Map([["a", "1"]]);
  expect(await first("a: 1\n---\nb: [")).toEqual({ value, more: true });
  expect(await first("---\na: 1\n...\n")).toEqual({ value, more: false });
  expect((await rejection(first("a: [\n---\nb: 2"))).code).toBe("config");
});
