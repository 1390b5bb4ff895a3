import { describe, expect, test } from "bun:test";
import { Failure } from "../../core/failure.ts";
import {
  isPassingFailure,
  isPassingStatus,
  Patience,
  type PatienceOptions,
  repetitionDelayMs,
  retryAfterMs,
  sleep,
} from "../../core/retry.ts";

describe("isPassingStatus", () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 521, 522, 523, 524])(
    "takes %d for one",
    (status) => {
      expect(isPassingStatus(status)).toBe(true);
    },
  );

  test.each([200, 206, 301, 400, 401, 403, 404, 405, 416, 501, 505, 520])(
    "does not take %d for one",
    (status) => {
      expect(isPassingStatus(status)).toBe(false);
    },
  );
});

describe("isPassingFailure", () => {
  test("asks the code", () => {
    expect(isPassingFailure(new Failure("unavailable", "no"))).toBe(true);
    expect(isPassingFailure(new Failure("refused", "unavailable"))).toBe(false);
  });
});

describe("retryAfterMs", () => {
  const now = "Wed, 21 Oct 2015 07:28:00 GMT";
  test.each([
    ["seconds", { "Retry-After": "3" }, 3000],
    [
      "a date, by the server's own clock",
      { "Retry-After": "Wed, 21 Oct 2015 07:28:05 GMT", Date: now },
      5000,
    ],
    ["a date that has passed", { "Retry-After": "Wed, 21 Oct 2015 07:27:00 GMT", Date: now }, 0],
    ["a date without a clock to compare", { "Retry-After": now }, undefined],
    ["nonsense", { "Retry-After": "soon", Date: now }, undefined],
    ["a negative number", { "Retry-After": "-1" }, undefined],
    ["nothing", {}, undefined],
  ])("reads %s", (_, headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>))).toBe(expected as number);
  });
});

/** A Patience whose sleep only moves its clock. */
function patient(options: PatienceOptions = {}): {
  patience: Patience;
  slept: number[];
  at(ms: number): void;
} {
  const slept: number[] = [];
  let now = 0;
  const patience = new Patience({
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
    ...options,
  });
  return { patience, slept, at: (ms) => (now = ms) };
}

describe("Patience", () => {
  test("waits half a second, doubling, and gives up after the fourth attempt", async () => {
    const { patience, slept } = patient();
    const worth = [];
    for (const attempts of [1, 2, 3, 4]) worth.push(await patience.pause(attempts));
    expect(worth).toEqual([true, true, true, false]);
    expect(slept).toEqual([500, 1000, 2000]);
  });

  test("spreads its pauses, but not those that were asked for", async () => {
    const { patience, slept } = patient({ random: () => 0.25 });
    await patience.pause(2);
    await patience.pause(1, { askedMs: 7000 });
    expect(slept).toEqual([250, 7000]);
  });

  test("gives up at once if more than a minute is asked for", async () => {
    const { patience, slept } = patient();
    expect(await patience.pause(1, { askedMs: 60_000 })).toBe(true);
    expect(await patience.pause(1, { askedMs: 60_001 })).toBe(false);
    expect(slept).toEqual([60_000]);
  });

  test("waits no more than two minutes in all", async () => {
    const { patience, slept } = patient();
    expect(await patience.pause(1, { askedMs: 60_000 })).toBe(true);
    expect(await patience.pause(1, { askedMs: 59_000 })).toBe(true);
    expect(await patience.pause(1, { askedMs: 1_001 })).toBe(false);
    expect(await patience.pause(1, { askedMs: 1_000 })).toBe(true);
    expect(slept).toEqual([60_000, 59_000, 1_000]);
  });

  test("counts pauses that overlap once", async () => {
    const { patience, at } = patient({ sleep: async () => {} });
    for (let blob = 0; blob < 6; blob++)
      expect(await patience.pause(1, { askedMs: 50_000 })).toBe(true);
    at(10_000);
    expect(await patience.pause(1, { askedMs: 50_000 })).toBe(true);
    at(60_000);
    expect(await patience.pause(1, { askedMs: 60_000 })).toBe(true);
    at(120_000);
    expect(await patience.pause(1, { askedMs: 1 })).toBe(false);
  });

  test("tells how long it will wait, before it does, and nothing where it does not", async () => {
    const order: (string | number)[] = [];
    const { patience } = patient({ sleep: async () => void order.push("slept") });
    const waiting = (ms: number) => order.push(ms);
    expect(await patience.pause(2, { waiting })).toBe(true);
    expect(await patience.pause(4, { waiting })).toBe(false);
    expect(await patience.pause(1, { askedMs: 60_001, waiting })).toBe(false);
    expect(order).toEqual([1000, "slept"]);
  });

  test("stops waiting for its signal's reason", async () => {
    const stop = new AbortController();
    const pause = new Patience().pause(1, { askedMs: 60_000, signal: stop.signal });
    stop.abort(new Failure("canceled", "enough"));
    expect(pause).rejects.toThrow("enough");
  });
});

describe("sleep", () => {
  test("does not begin for a signal that is aborted already", () => {
    expect(sleep(60_000, AbortSignal.abort(new Failure("canceled", "enough")))).rejects.toThrow(
      "enough",
    );
  });
});

describe("repetitionDelayMs", () => {
  test.each([
    [1, undefined, 0, 1000],
    [2, undefined, 0, 2000],
    [3, undefined, 0, 4000],
    [3, 5000, 0, 5000],
    [1, undefined, 0.5, 1050],
    [2, 0, 0.5, 0],
  ])(
    "before repetition %d, fixed %p, random %d: %d ms",
    (repetition, fixedMs, random, expected) => {
      expect(repetitionDelayMs(repetition, () => random, fixedMs)).toBe(expected);
    },
  );
});
