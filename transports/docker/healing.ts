// Healing: requests that are tried again until they answer, as far as patience goes.

import { asFailure } from "../../core/failure.ts";
import type { HttpResponse } from "../../core/http.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import {
  isPassingFailure,
  isPassingStatus,
  type Patience,
  type Pause,
  retryAfterMs,
} from "../../core/retry.ts";

/** Who waits, for how long, and who hears of it. */
export interface Healer {
  readonly patience: Patience;
  readonly signal: AbortSignal;
  readonly log: TransportLog;
  /** A clock that only runs forward, in milliseconds. */
  readonly now: () => number;
}

/** Returns what makes a pause heard of. */
function heard(reason: string, log: TransportLog): Pick<Pause, "waiting"> {
  return { waiting: (waitMs) => log.retrying?.({ what: "request", reason, waitMs }) };
}

/**
 * Makes attempts until one brings an answer that is worth keeping, and returns that, or the last one
 * when patience ends. Fails as the last attempt did. What `signal` has ended, and what took very long to
 * fail, is not tried again.
 */
export async function healed<T extends { readonly response: HttpResponse }>(
  attempt: () => Promise<T>,
  { patience, signal, log, now }: Healer,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    const began = now();
    try {
      const result = await attempt();
      const { status, headers } = result.response;
      if (!isPassingStatus(status)) return result;
      const reason = `HTTP status ${status}`;
      const pause = { askedMs: retryAfterMs(headers), ...heard(reason, log), signal };
      if (!(await patience.pause(attempts, pause))) return result;
      await result.response.discard();
      log.debug(`Trying again after ${reason}`);
    } catch (error) {
      const failure = asFailure(error);
      const slow = now() - began > limits.slowAttemptMs;
      if (signal.aborted || slow || !isPassingFailure(failure)) throw error;
      const pause = { ...heard(failure.message, log), signal };
      if (!(await patience.pause(attempts, pause))) throw error;
      log.debug(`Trying again after: ${failure.message}`);
    }
  }
}
