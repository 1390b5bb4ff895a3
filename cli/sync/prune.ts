// Pruning, as a person asks for it: shown first, done when it is confirmed.

import { asFailure, Failure } from "../../core/failure.ts";
import { findSurplus, type PruneRequest } from "../../core/sync/prune.ts";
import type { Log } from "../output/log.ts";

/** What is to be held, and what of it nobody found. */
export interface Pruning extends PruneRequest {
  /** What was named and came to nothing. */
  readonly missed: readonly string[];
}

/**
 * Shows what a destination holds besides, or removes it. Fails with `incomplete` where that fails, and
 * where it is not certain what is wanted: all that is missing from the list would be taken for too much.
 */
export async function prune(log: Log, request: Pruning, removes: boolean): Promise<void> {
  checkCertain(request);
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

function checkCertain({ missed, targets }: Pruning): void {
  const [first] = missed;
  const why =
    first !== undefined
      ? `${JSON.stringify(first)} came to nothing`
      : targets.length === 0
        ? "no image is wanted"
        : undefined;
  if (why === undefined) return;
  throw new Failure("incomplete", `Nothing is pruned, because ${why}`, {
    hint: "what is wanted has to be found before the rest can be told from it",
  });
}
