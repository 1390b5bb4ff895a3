import { describe, expect, test } from "bun:test";
import { Failure } from "../../../core/failure.ts";
import { Patience, type Retry } from "../../../core/retry.ts";
import { healed } from "../../../transports/docker/healing.ts";
import { httpResponse } from "../../support/http-response.ts";
import { timeless } from "../../support/patience.ts";
import { rejection } from "../../support/rejection.ts";

const told: Retry[] = [];
const log = { debug() {}, info() {}, warn() {}, retrying: (retry: Retry) => told.push(retry) };
const down = () => new Failure("unavailable", "down");

/** Plays one result after the other, the last for ever. */
async function play(
  results: readonly (Failure | [number, Record<string, string>?])[],
  signal = new AbortController().signal,
  attemptMs = 0,
) {
  const { patience, pauses } = timeless();
  let attempts = 0;
  let time = 0;
  const attempt = async () => {
    time += attemptMs;
    const result = results[Math.min(attempts++, results.length - 1)] ?? [200];
    if (result instanceof Failure) throw result;
    return { response: httpResponse(...result) };
  };
  const outcome = await healed(attempt, { patience, signal, log, now: () => time }).then(
    ({ response }) => response.status,
    (failure: Failure) => failure.message,
  );
  return { outcome, attempts, pauses };
}

describe("healed", () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 521])("tries again after %d", async (status) => {
    expect(await play([[status], [200]])).toEqual({ outcome: 200, attempts: 2, pauses: [500] });
  });

  test.each([200, 404, 401, 403, 416, 501])("takes %d for an answer", async (status) => {
    expect(await play([[status]])).toEqual({ outcome: status, attempts: 1, pauses: [] });
  });

  test("tries again after a failure that may pass, and after no other", async () => {
    expect(await play([down(), [503], [200]])).toMatchObject({ outcome: 200, attempts: 3 });
    const refused = new Failure("refused", "no");
    expect(await play([refused, [200]])).toEqual({ outcome: "no", attempts: 1, pauses: [] });
  });

  test("gives up after four attempts, as the last of them ended", async () => {
    expect(await play([[500], [503]])).toEqual({
      outcome: 503,
      attempts: 4,
      pauses: [500, 1000, 2000],
    });
    expect(await play([[500], down()])).toMatchObject({ outcome: "down", attempts: 4 });
  });

  test("tells what it tries again, why, and how long it waits before", async () => {
    told.splice(0);
    await play([[503], down(), [200]]);
    expect(told).toEqual([
      { what: "request", reason: "HTTP status 503", waitMs: 500 },
      { what: "request", reason: "down", waitMs: 1000 },
    ]);
  });

  test("waits as long as it is asked to, up to a minute", async () => {
    expect(await play([[429, { "Retry-After": "7" }], [200]])).toMatchObject({ pauses: [7000] });
    expect(await play([[429, { "Retry-After": "3600" }]])).toEqual({
      outcome: 429,
      attempts: 1,
      pauses: [],
    });
  });

  test("does not try again what was ended on purpose", async () => {
    const ended = AbortSignal.abort(down());
    expect(await play([down(), [200]], ended)).toMatchObject({ outcome: "down", attempts: 1 });
  });

  test("row 17: does not try again what took long to fail", async () => {
    const { signal } = new AbortController();
    expect(await play([down(), [200]], signal, 20_001)).toMatchObject({ outcome: "down" });
    expect(await play([down(), [200]], signal, 20_000)).toMatchObject({ outcome: 200 });
    expect(await play([[503], [200]], signal, 20_001)).toMatchObject({ outcome: 200 });
  });

  test("reads no answer that is not kept, and keeps the one that is", async () => {
    const { patience } = timeless();
    const answers = [httpResponse(500), httpResponse(200)];
    let at = 0;
    const attempt = async () => ({ response: answers[at++] ?? httpResponse(200) });
    const { signal } = new AbortController();
    await healed(attempt, { patience, signal, log, now: () => 0 });
    expect(answers.map(({ discarded }) => discarded)).toEqual([true, false]);
  });

  test("fails with what ends a pause", async () => {
    const stop = new AbortController();
    const work = healed(async () => ({ response: httpResponse(503) }), {
      patience: new Patience(),
      signal: stop.signal,
      log,
      now: () => 0,
    });
    setTimeout(() => stop.abort(new Failure("canceled", "enough")), 10);
    expect((await rejection(work)).message).toBe("enough");
  });
});
