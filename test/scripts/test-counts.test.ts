import { describe, expect, test } from "bun:test";

import { countsOf, noCounts, sum } from "../../scripts/test-counts.ts";

const end = "Ran 7 tests across 2 files. [7.00ms]";

describe("countsOf", () => {
  test.each<[string, readonly string[], number, string]>([
    ["a run that passed", [" 7 pass", " 0 fail", " 9 expect() calls", end], 0, "7 0 0"],
    ["a run with skips", [" 3 pass", " 2 skip", " 1 todo", " 0 fail", end], 0, "3 0 3"],
    ["a run with failures", [" 3 pass", " 4 fail", " 1 error", end], 1, "3 4 0"],
    ["a run with more errors than failures", [" 3 pass", " 1 fail", " 2 errors", end], 1, "3 2 0"],
    ["a run that failed without a failure", [" 7 pass", " 0 fail", end], 1, "7 1 0"],
    ["a run that broke off", ["(pass) a", "(pass) b"], 0, "0 1 0"],
    ["a run that printed nothing", [], 0, "0 1 0"],
    ["a run of skips", [" 0 pass", " 7 skip", " 0 fail", end], 0, "0 0 7"],
    ["a run of nothing", [" 0 pass", " 0 fail", end], 0, "0 1 0"],
    [
      "the last of several summaries",
      [" 9 pass", end, ...Array(9).fill(""), " 7 pass", " 0 fail", end],
      0,
      "7 0 0",
    ],
    [
      "what a test printed",
      [" 9 fail", ...Array(9).fill(""), " 7 pass", " 0 fail", end],
      0,
      "7 0 0",
    ],
  ])("knows %s", (_, lines, exitCode, expected) => {
    const { passed, failed, skipped } = countsOf(lines, exitCode);
    expect(`${passed} ${failed} ${skipped}`).toBe(expected);
  });
});

test("sum adds each count to its like", () => {
  const counts = { passed: 1, failed: 2, skipped: 3 };
  expect(sum(counts, { passed: 10, failed: 20, skipped: 30 })).toEqual({
    passed: 11,
    failed: 22,
    skipped: 33,
  });
  expect(sum(counts, noCounts)).toEqual(counts);
});
