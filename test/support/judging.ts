// Judging: what a requirement decides with, as a test gives it.

import type { SignatureTrial } from "../../core/trust/decision.ts";
import type { Judging } from "../../core/trust/gate.ts";

/** Returns what to judge with at a time, and keeps what is told of signatures. */
export function judging(
  now = new Date("2024-03-01T12:00:00Z"),
): Judging & { readonly trials: readonly SignatureTrial[] } {
  const trials: SignatureTrial[] = [];
  return { now, tried: (trial) => void trials.push(trial), trials };
}
