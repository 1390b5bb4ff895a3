// Names of standard output.

import { expect, test } from "bun:test";
import { isStandardOutput } from "../../../transports/shared/standard-output.ts";

test.each([
  ["-", true],
  ["/dev/stdout", true],
  ["/dev/fd/1", true],
  ["/proc/self/fd/1", true],
  ["./-", false],
  ["/dev/fd/10", false],
  ["/dev/stdin", false],
  ["stdout", false],
])("isStandardOutput of %s is %p", (path, expected) => {
  expect(isStandardOutput(path)).toBe(expected);
});
