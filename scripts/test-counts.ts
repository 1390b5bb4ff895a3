// TestCounts: how many tests passed, as `bun test` says at its end.

/** How many tests of one run, or of several, ended in which way. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Of no tests at all. */
export const noCounts: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** Returns the counts of two runs together. */
export function sum(a: TestCounts, b: TestCounts): TestCounts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/**
 * Returns what a run of `bun test` counted, from the lines that it printed.
 *
 * A run that broke off, printed no counts, ran nothing, or failed without a failed test, failed once. (Its
 * JUnit report knows less: a file that cannot be loaded is not in it, and a test that exits the process
 * leaves no report and exit code 0.)
 */
export function countsOf(lines: readonly string[], exitCode: number): TestCounts {
  const end = lines.findLastIndex((line) => /^Ran \d+ tests? across \d+ files?\./.test(line));
  // The counts stand directly above.
  const counts = lines.slice(Math.max(0, end - 10), Math.max(0, end));
  const count = (word: string) => {
    const line = counts.findLast((each) => new RegExp(`^ *\\d+ ${word}s?$`).test(each));
    return line === undefined ? 0 : Number.parseInt(line, 10);
  };
  const passed = count("pass");
  const failed = Math.max(count("fail"), count("error"));
  const skipped = count("skip") + count("todo");
  const whole = exitCode === 0 && passed + skipped > 0;
  return { passed, failed: failed === 0 && !whole ? 1 : failed, skipped };
}
