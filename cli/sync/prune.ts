// Pruning, as a person asks for it: shown first, done when it is confirmed.

import { asFailure, Failure } from "../../core/failure.ts";
import { findSurplus, type PruneRequest } from "../../core/sync/prune.ts";
import type { Log } from "../output/log.ts";

/** Shows what a destination holds besides, or removes it. Fails with `incomplete` where that fails. */
export async function prune(log: Log, request: PruneRequest, removes: boolean): Promise<void> {
  const surplus = await findSurplus(request);
  let failures = 0;
  for (const { name, remove } of surplus) {
    if (!removes) {
      log.info("Would remove", { image: name });
      continue;
    }
    try {
      await remove();
      log.info("Removed", { image: name });
    } catch (error) {
      // Whoever ends the run does not want the rest tried, too.
      if (asFailure(error).code === "canceled") throw error;
      failures++;
      log.error("Cannot remove", { image: name, error: asFailure(error).message });
    }
  }
  if (!removes && surplus.length > 0) {
    log.info(`${surplus.length} images are not wanted any more; to remove them, add --prune --yes`);
  }
  if (failures > 0) {
    throw new Failure("incomplete", `${failures} of ${surplus.length} images were not removed`);
  }
}
