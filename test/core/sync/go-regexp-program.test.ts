import { expect, test } from "bun:test";

import { parseProgram } from "../../../core/sync/go-regexp-program.ts";

test("parseProgram counts the groups, and the whole as one of them", () => {
  expect(parseProgram("(a)(?:b)(?P<c>d)").groups).toBe(3);
});

test("parseProgram ends every way in a match", () => {
  const { instructions } = parseProgram("a|b");
  expect(instructions.at(-1)).toEqual({ kind: "match" });
});
