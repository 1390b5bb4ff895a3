import { expect, test } from "bun:test";

import { parseGoRegexp } from "../../../core/sync/go-regexp.ts";

test.each([
  ["[a-c]", "b", true],
  ["[^a-c]", "b", false],
  ["[\\d-]", "-", true],
  ["[\\]]", "]", true],
  ["[[:word:]]", "_", true],
  ["[[:^word:]]", "_", false],
  ["[^\\n]", "\n", false],
])("readClass: %s takes %j: %p", (pattern, text, expected) => {
  expect(parseGoRegexp(`^${pattern}$`).test(text)).toBe(expected);
});
