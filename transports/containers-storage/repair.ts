// Repair: what runs that were ended before their time have left in a store, removed or finished.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TransportContext } from "../../core/image/transport.ts";
import { attempt } from "../shared/system.ts";
import { isTemporaryName } from "../shared/temporary.ts";
import type { ChosenStore } from "./choose-store.ts";
import { LockedStore } from "./locked-store.ts";
import { carryOutNotes, hasNotes } from "./removal-note.ts";
import { sweepStaging } from "./staging-directory.ts";
import { StorePlace } from "./store-place.ts";

/** Returns where layers are staged: on the file system of their files, and on that of their records. */
export function stagingParents(place: StorePlace): readonly [files: string, records: string] {
  return [join(place.driverDirectory, "tempdirs"), join(place.layersDirectory, "tmp")];
}

/**
 * Repairs a store, which need not be there. `nowMs` is the time by the clock of its file system; where it is
 * not known, more is left.
 */
export async function repairStore(
  store: ChosenStore,
  context: TransportContext,
  nowMs?: number,
): Promise<void> {
  const place = new StorePlace(store.imageRoot, store.driver);
  if (!existsSync(place.imagesDirectory)) return;
  for (const parent of stagingParents(place)) await sweepStaging(parent, context, nowMs);
  const unfinished = [place.imagesDirectory, place.layersDirectory].some(holdsUnfinished);
  if (!hasNotes(place) && !unfinished) return;
  await using locked = await LockedStore.lock(store, context, "containers");
  await carryOutNotes(locked);
  for (const records of [locked.layers, locked.images]) records.removeUnfinished();
}

/** Those of somebody who is at work are gone by the time that we get the lock. */
function holdsUnfinished(directory: string): boolean {
  return existsSync(directory) && attempt(() => readdirSync(directory).some(isTemporaryName));
}
