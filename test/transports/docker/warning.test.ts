import { expect, test } from "bun:test";
import { warningsIn } from "../../../transports/docker/warning.ts";

test.each([
  ['299 - "one"', ["one"]],
  ['299 - "one, two", 299 - "a \\"b\\""', ["one, two", 'a "b"']],
  ['110 cache "stale", 299 - "one"', ["one"]],
  ["299 - open", []],
  ["", []],
])("warningsIn reads %s", (line, expected) => {
  expect(warningsIn(new Headers({ Warning: line }))).toEqual(expected);
});

test("P6: warningsIn reads a hostile megabyte in no time", () => {
  const start = performance.now();
  warningsIn(new Headers({ Warning: '299 - "'.repeat(1.5e5) }));
  warningsIn(new Headers({ Warning: `299 - "${"\\".repeat(1e6)}` }));
  warningsIn(new Headers({ Warning: `${","}${" ".repeat(1e6)}` }));
  expect(performance.now() - start).toBeLessThan(10_000);
});
