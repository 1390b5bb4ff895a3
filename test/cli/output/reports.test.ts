// Reports: everybody hears everything, and a summary comes last.

import { describe, expect, test } from "bun:test";

import { Reports } from "../../../cli/output/reports.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import { Failure } from "../../../core/failure.ts";

function reporting() {
  const told: ToldEvent[][] = [[], []];
  let disposed = 0;
  let nowMs = 1000;
  const listeners = told.map((events) => ({
    tell: (event: ToldEvent) => void events.push(event),
    [Symbol.dispose]: () => void disposed++,
  }));
  const reports = new Reports(listeners, () => nowMs);
  return {
    reports,
    told,
    pass: (ms: number) => (nowMs += ms),
    disposed: () => disposed,
  };
}

describe("Reports", () => {
  test("tells all who listen, and sums up in the end", () => {
    const { reports, told, pass, disposed } = reporting();
    reports.tell({ kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] });
    pass(2500);
    reports[Symbol.dispose]();
    expect(told[0]).toEqual(told[1] ?? []);
    expect(told[0]?.map(({ kind }) => kind)).toEqual(["copy-begun", "summary"]);
    expect(told[0]?.[1]).toMatchObject({ seconds: 2.5, copies: 0 });
    expect(disposed()).toBe(2);
  });

  test("tells what the command fails with, and fails with it", async () => {
    const { reports, told } = reporting();
    const failure = new Failure("io", "no", { hint: "try" });
    expect(reports.during(() => Promise.reject(failure))).rejects.toBe(failure);
    await Promise.resolve();
    expect(told[0]).toEqual([{ kind: "failed", code: "io", message: "no", hint: "try" }]);
    expect(await reports.during(async () => 5)).toBe(5);
  });
});
