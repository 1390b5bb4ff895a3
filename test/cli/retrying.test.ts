// Retrying: what is tried again, how often, and what is said about it.

import { describe, expect, test } from "bun:test";

import type { Log } from "../../cli/output/log.ts";
import { retrying } from "../../cli/retrying.ts";
import { Failure, type FailureCode } from "../../core/failure.ts";

function callWith(signal = new AbortController().signal) {
  const warnings: string[] = [];
  const ignore = () => {};
  const log: Log = {
    debug: ignore,
    info: ignore,
    warn: (message) => warnings.push(message),
    error: ignore,
    fatal: ignore,
  };
  return { call: { log, signal }, warnings };
}

/** Fails `times` times, and then gives how often it was called. */
function failing(times: number, code: FailureCode = "unavailable") {
  let calls = 0;
  return async () => {
    if (++calls <= times) throw new Failure(code, `failure ${calls}`);
    return calls;
  };
}

describe("retrying", () => {
  test("does not say a word where nothing fails", async () => {
    const { call, warnings } = callWith();
    expect(await retrying(call, { times: 3, delayMs: 1 }, failing(0))).toBe(1);
    expect(warnings).toEqual([]);
  });

  test("tries again as often as it may, and says so in the original's words", async () => {
    const { call, warnings } = callWith();
    expect(await retrying(call, { times: 2, delayMs: 1 }, failing(2))).toBe(3);
    expect(warnings).toEqual([
      "Failed, retrying in 1ms ... (1/2). Error: failure 1",
      "Failed, retrying in 1ms ... (2/2). Error: failure 2",
    ]);
  });

  test("fails with the last failure", async () => {
    const { call } = callWith();
    expect(retrying(call, { times: 2, delayMs: 1 }, failing(9))).rejects.toMatchObject({
      message: "failure 3",
    });
  });

  test.each([
    ["config"],
    ["not-found"],
    ["unauthorized"],
    ["refused"],
    ["rejected"],
    ["corrupt"],
    ["unsupported"],
    ["canceled"],
    ["io"],
    ["usage"],
    ["bug"],
  ] as const)("does not try again after %s, which would not pass", async (code) => {
    const { call, warnings } = callWith();
    expect(retrying(call, { times: 3, delayMs: 1 }, failing(1, code))).rejects.toMatchObject({
      code,
      message: "failure 1",
    });
    expect(warnings).toEqual([]);
  });

  test("does not wait any longer once the command is to end", async () => {
    const end = new AbortController();
    const { call } = callWith(end.signal);
    const work = retrying(call, { times: 3, delayMs: 60_000 }, failing(1));
    await Promise.resolve();
    end.abort(new Failure("canceled", "enough"));
    expect(work).rejects.toMatchObject({ code: "canceled", message: "enough" });
  });

  test("waits one second where no delay is given", async () => {
    const end = new AbortController();
    const { call, warnings } = callWith(end.signal);
    const work = retrying(call, { times: 3, delayMs: 0 }, failing(1)).catch(() => "ended");
    await Bun.sleep(0);
    end.abort(new Failure("canceled", "enough"));
    expect(await work).toBe("ended");
    expect(warnings).toEqual(["Failed, retrying in 1s ... (1/3). Error: failure 1"]);
  });
});
