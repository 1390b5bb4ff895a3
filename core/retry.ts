// Retry: when to try again, and how long to wait.

import type { Failure } from "./failure.ts";
import { limits } from "./limits.ts";

/** Answers that a second try may turn into another one. */
const passingStatuses: ReadonlySet<number> = new Set([
  408, 425, 429, 500, 502, 503, 504, 521, 522, 523, 524,
]);

/** Tells whether an answer of this status speaks of a trouble that may pass. */
export function isPassingStatus(status: number): boolean {
  return passingStatuses.has(status);
}

/** Tells whether the same work, begun anew, may succeed. Asks the code, never the text. */
export function isPassingFailure(failure: Failure): boolean {
  return failure.code === "unavailable";
}

/**
 * Returns how long an answer asks to be left alone, or undefined if it does not say.
 *
 * A date is measured against the answer's own `Date`: the server's clock is judged by the server's
 * clock, whatever ours says. Without that header a date says nothing.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  const now = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(until - now) ? undefined : Math.max(0, until - now);
}

/** Something that failed, and is tried again. */
export interface Retry {
  readonly what: "request" | "download" | "upload";
  /** What it failed with, for people. */
  readonly reason: string;
  /** How long is waited before, in milliseconds. */
  readonly waitMs: number;
}

/** Gives numbers from 0 up to 1. */
export type Random = () => number;

/** Ends after `ms`, or fails with the reason of `signal`. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** What Patience rests on; tests give their own. */
export interface PatienceOptions {
  /** Spreads the pauses; absent: every pause is as long as it may be. */
  readonly random?: Random;
  readonly sleep?: Sleep;
  /** A clock that only runs forward, in milliseconds. */
  readonly now?: () => number;
  readonly limitMs?: number;
}

/** What one pause is about. */
export interface Pause {
  /** How long the other side asked to be left alone; absent: it did not say. */
  readonly askedMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Learns how long it will be, before it begins; not called where there is none. */
  readonly waiting?: ((ms: number) => void) | undefined;
}

/**
 * How much waiting one operation puts up with, and the waiting itself.
 *
 * One copy has one Patience, made by who starts the copy and shared by the clients of both sides, so
 * that all its pauses together stay below `limits.waitingMs`. Pauses that overlap, as those of blobs
 * moved at the same time, count once.
 */
export class Patience {
  readonly #random: Random;
  readonly #sleep: Sleep;
  readonly #now: () => number;
  readonly #limitMs: number;
  #spentMs = 0;
  #waitingUntil = 0;

  constructor(options: PatienceOptions = {}) {
    this.#random = options.random ?? (() => 1);
    this.#sleep = options.sleep ?? sleep;
    this.#now = options.now ?? (() => performance.now());
    this.#limitMs = options.limitMs ?? limits.waitingMs;
  }

  /**
   * Waits before another attempt, after `attempts` have failed, and tells whether it is worth making.
   *
   * Gives false at once if there have been enough of them, if `askedMs` (what the other side asked
   * for) is more than anybody waits for, or if all waiting is used up; otherwise `waiting` is told how
   * long it will be. Fails with the reason of `signal` when that aborts.
   */
  async pause(attempts: number, pause: Pause = {}): Promise<boolean> {
    const { askedMs, signal, waiting } = pause;
    if (attempts >= limits.requestAttempts) return false;
    if (askedMs !== undefined && askedMs > limits.retryAfterMs) return false;
    const ms = askedMs ?? this.#random() * limits.retryDelayMs * 2 ** (attempts - 1);
    if (!this.#spend(ms)) return false;
    waiting?.(ms);
    await this.#sleep(ms, signal);
    return true;
  }

  /** Waits because another request was asked to; not at all if all waiting is used up. */
  async rest(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#spend(ms)) await this.#sleep(ms, signal);
  }

  #spend(ms: number): boolean {
    const now = this.#now();
    const cost = Math.max(0, now + ms - Math.max(now, this.#waitingUntil));
    if (this.#spentMs + cost > this.#limitMs) return false;
    this.#spentMs += cost;
    this.#waitingUntil = Math.max(this.#waitingUntil, now + ms);
    return true;
  }
}

/**
 * Returns the pause before a whole operation is repeated for the `repetition`th time, from 1: one
 * second, doubling, or always `fixedMs`; and up to a tenth more, as `random` says.
 */
export function repetitionDelayMs(repetition: number, random: Random, fixedMs?: number): number {
  const base = fixedMs ?? 1000 * 2 ** (repetition - 1);
  return base * (1 + 0.1 * random());
}

/** Waits. Fails with the reason of `signal` as soon as that aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
