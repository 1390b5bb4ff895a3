// Reports: everybody hears everything, and a summary comes last.

import { describe, expect, test } from "bun:test";

import { Reports } from "../../../cli/output/reports.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import { Failure } from "../../../core/failure.ts";
import { rejection } from "../../support/rejection.ts";

function reporting(end?: () => Promise<void>) {
  const told: ToldEvent[][] = [[], []];
  let disposed = 0;
  let nowMs = 0;
  const listeners = told.map((events) => ({
    tell: (event: ToldEvent) => void events.push(event),
    [Symbol.dispose]: () => void disposed++,
    ...(end !== undefined && { end }),
  }));
  const warned: string[] = [];
  const ignore = () => {};
  const warn = (message: string) => warned.push(message);
  const log = { debug: ignore, info: ignore, error: ignore, fatal: ignore, warn };
  const reports = new Reports(listeners, () => nowMs, log);
  return {
    warned,
    reports,
    told,
    pass: (ms: number) => (nowMs += ms),
    disposed: () => disposed,
  };
}

describe("Reports", () => {
  test("tells all who listen, and sums up in the end", async () => {
    const { reports, told, pass, disposed } = reporting();
    const done = await reports.during(async () => {
      reports.tell({ kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] });
      pass(2500);
      return 5;
    });
    reports[Symbol.dispose]();
    expect(done).toBe(5);
    expect(told[0]).toEqual(told[1] ?? []);
    expect(told[0]?.map(({ kind }) => kind)).toEqual(["copy-begun", "summary"]);
    expect(told[0]?.[1]).toMatchObject({ seconds: 2.5, copies: 0 });
    expect(disposed()).toBe(2);
  });

  test("tells what the command fails with, and fails with it", async () => {
    const { reports, told } = reporting();
    const failure = new Failure("io", "no", { hint: "try" });
    expect(await rejection(reports.during(() => Promise.reject(failure)))).toBe(failure);
    expect(told[0]?.[0]).toEqual({ kind: "failed", code: "io", message: "no", hint: "try" });
    expect(told[0]?.map(({ kind }) => kind)).toEqual(["failed", "summary"]);
  });

  test("fails where the last words cannot be said, unless it has failed before", async () => {
    const full = new Failure("io", "stdout is full");
    const { reports, warned } = reporting(() => Promise.reject(full));
    expect(await rejection(reports.during(async () => 5))).toBe(full);
    const first = new Failure("corrupt", "no");
    expect(await rejection(reports.during(() => Promise.reject(first)))).toBe(first);
    expect(warned).toEqual(["stdout is full"]);
  });
});
