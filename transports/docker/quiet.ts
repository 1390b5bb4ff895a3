// Quiet: how long a registry wants to be left alone, by all who speak to it.

import { limits } from "../../core/limits.ts";
import { retryAfterMs } from "../../core/retry.ts";
import { resetMsIn } from "./pull-limit.ts";

/** What an answer says about being asked again. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
}

/** Remembers until when a registry is to be left alone. */
export class Quiet {
  #untilMs = 0;

  /** Takes an answer into account. More than anybody waits for does not count. */
  note({ status, headers }: Answer, nowMs: number): void {
    const asked = status === 429 || status === 503 ? retryAfterMs(headers) : undefined;
    const ms = asked ?? resetMsIn(headers) ?? 0;
    if (ms <= limits.retryAfterMs) this.#untilMs = Math.max(this.#untilMs, nowMs + ms);
  }

  /** Returns how long it still is. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }
}
