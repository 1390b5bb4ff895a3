// Exit codes: Failure → what the shell sees.

import type { FailureCode } from "../core/failure.ts";

/** Returns the exit code of a command that failed. */
export function exitCodeOf(code: FailureCode): number {
  // The original documents 2 for an input image that does not exist, and 1 for all else.
  if (code === "not-found") return 2;
  return code === "incomplete" ? 3 : 1;
}

/** Signals that end the program, with their numbers. The shell adds 128. */
export const endingSignals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal that ends the program. */
export type EndingSignal = keyof typeof endingSignals;

/** Returns the exit code of a program that a signal ended. */
export function exitCodeOfSignal(signal: EndingSignal): number {
  return 128 + endingSignals[signal];
}
