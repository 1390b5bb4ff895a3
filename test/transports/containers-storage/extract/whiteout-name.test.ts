import { expect, test } from "bun:test";
import {
  baseOf,
  isWhiteout,
} from "../../../../transports/containers-storage/extract/whiteout-name.ts";

test.each([
  [".wh.a", true],
  ["a/b/.wh..wh..opq", true],
  ["a/.wh.b/", true],
  [".wh.a/b", false],
  ["a.wh.b", false],
  ["", false],
])("isWhiteout of %p is %p", (name, expected) => {
  expect(isWhiteout(new TextEncoder().encode(name))).toBe(expected);
});

test("baseOf is the last part", () => {
  expect([baseOf("a/b"), baseOf("b"), baseOf("")]).toEqual(["b", "b", ""]);
});
