import { expect, test } from "bun:test";
import { coversAllIds, ownsWholeSystem } from "../../cli/whole-system.ts";

test.each([
  ["         0          0 4294967295\n", true],
  ["0 1000 1\n", false],
  ["0 1000 1\n1 100000 65536\n", false],
  ["0 0 65536\n", false],
  ["", false],
])("coversAllIds of %j is %p", (map, expected) => {
  expect(coversAllIds(map)).toBe(expected);
});

test("ownsWholeSystem is for root only", () => {
  expect(ownsWholeSystem(1000)).toBe(false);
});
