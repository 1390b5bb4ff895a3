// Healing: requests that are tried again until they answer, as far as patience goes.

import { asFailure } from "../../core/failure.ts";
import type { HttpResponse } from "../../core/http.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import {
  isPassingFailure,
  isPassingStatus,
  type Patience,
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
      if (!(await patience.pause(attempts, retryAfterMs(headers), signal))) return result;
      await result.response.discard();
      log.debug(`Trying again after HTTP status ${status}`);
    } catch (error) {
      const failure = asFailure(error);
      const slow = now() - began > limits.slowAttemptMs;
      if (signal.aborted || slow || !isPassingFailure(failure)) throw error;
      if (!(await patience.pause(attempts, undefined, signal))) throw error;
      log.debug(`Trying again after: ${failure.message}`);
    }
  }
}
