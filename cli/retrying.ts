// Retrying: doing a whole operation again, as often as the user said.

import type { Tell } from "../core/copy/events.ts";
import { asFailure } from "../core/failure.ts";
import { isPassingFailure, repetitionDelayMs, sleep } from "../core/retry.ts";
import type { Call } from "./command.ts";
import type { RetryValues } from "./flags/image.ts";
import { renderDuration } from "./output/duration.ts";

/** Where an operation is repeated. */
export interface Retrying extends Pick<Call, "log" | "signal"> {
  /** Absent: nobody but the log is told. */
  readonly tell?: Tell;
}

/** Does `work`, and does it again while it fails of what may pass and the retry flags allow it. */
export async function retrying<T>(
  { log, signal, tell }: Retrying,
  { times, delayMs }: RetryValues,
  work: () => Promise<T>,
): Promise<T> {
  const fixed = delayMs > 0 ? delayMs : undefined;
  for (let repetition = 1; ; repetition++) {
    try {
      return await work();
    } catch (error) {
      const failure = asFailure(error);
      if (repetition > times || signal.aborted || !isPassingFailure(failure)) throw failure;
      const shown = renderDuration(repetitionDelayMs(repetition, () => 0, fixed));
      log.warn(
        `Failed, retrying in ${shown} ... (${repetition}/${times}). Error: ${failure.message}`,
      );
      const waitMs = repetitionDelayMs(repetition, Math.random, fixed);
      tell?.({ kind: "retry", what: "command", reason: failure.message, waitMs });
      await sleep(waitMs, signal);
    }
  }
}
