// The program: which of its two names it was called by.

import { describe, expect, test } from "bun:test";

import { programCalled } from "../../cli/program.ts";

describe("programCalled", () => {
  test.each([
    ["skopeo", "skopeo"],
    ["./skopeo", "skopeo"],
    ["/usr/bin/skopeo", "skopeo"],
    ["dray", "dray"],
    ["/opt/skopeo/dray", "dray"],
    ["bun", "dray"],
    ["", "dray"],
  ] as const)("answers to %j as %s", (word, program) => {
    expect(programCalled(word)).toBe(program);
  });
});
