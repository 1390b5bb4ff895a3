// Patience that costs no time.

import { Patience } from "../../core/retry.ts";

/** Returns a Patience whose pauses only move its clock, and a record of them. */
export function timeless(limitMs?: number): { patience: Patience; pauses: number[] } {
  const pauses: number[] = [];
  let now = 0;
  const patience = new Patience({
    now: () => now,
    sleep: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
    ...(limitMs === undefined ? {} : { limitMs }),
  });
  return { patience, pauses };
}
