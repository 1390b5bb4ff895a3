// Installing layers: moving what is ready into the store, in a moment in which nobody else can look.

import { renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DetectedCompression } from "../../core/blob/decompress.ts";
import type { JsonObject } from "../../core/json.ts";
import { attempt } from "../shared/system.ts";
import { readCompleteLayers, syncNames } from "./change-store.ts";
import type { LayerChain, ReadyLayer } from "./layer-chain.ts";
import type { LockedStore } from "./locked-store.ts";
import { newOverlayForm, readOverlayForm } from "./overlay-form.ts";
import type { KeptLayer } from "./read-store.ts";
import type { LayerRecord } from "./records.ts";
import { removeLayerFiles } from "./remove-layer.ts";
import type { StorePlace } from "./store-place.ts";

/** Layers in stores that are only read, which may be below others. */
export type LayersElsewhere = ReadonlyMap<string, KeptLayer>;

/** Layers that a store lacks, and how it is before they come. */
export interface MissingLayers {
  readonly missing: readonly ReadyLayer[];
  readonly before: readonly LayerRecord[];
}

/**
 * Returns the layers of an image that a store lacks, and undefined if it has lost some since they were made
 * ready.
 */
export async function findMissing(
  chain: LayerChain,
  { layers, place, context }: LockedStore,
  elsewhere: LayersElsewhere,
): Promise<MissingLayers | undefined> {
  const before = await readCompleteLayers(layers, place, context);
  const missing = chain.missingFrom(new Set([...before.map(({ id }) => id), ...elsewhere.keys()]));
  return missing && { missing, before };
}

/**
 * Makes layers part of a store.
 *
 * Whoever is killed in between leaves records that say that they are incomplete, and everybody removes those.
 */
export async function installLayers(
  { missing, before }: MissingLayers,
  { layers, place }: LockedStore,
  { elsewhere, now }: { readonly elsewhere: LayersElsewhere; readonly now: () => Date },
): Promise<void> {
  if (missing.length === 0) return;
  const old = before.map(({ json }) => json);
  const records = missing.map((layer) => recordOf(layer, now()));
  await layers.write([
    ...old,
    ...records.map((each) => ({ ...each, flags: { incomplete: true } })),
  ]);
  for (const layer of missing) moveIn(layer, place, elsewhere);
  for (const directory of namesChanged(place)) syncNames(directory);
  await layers.write([...old, ...records]);
}

function moveIn(
  { id, parent, staged, form }: ReadyLayer,
  place: StorePlace,
  elsewhere: LayersElsewhere,
): void {
  // Of a run that was killed, whose record somebody has removed.
  removeLayerFiles(place, id);
  if (form !== undefined && parent !== undefined) {
    // The layer below may have been removed and made again, and goes by another short name since.
    const below = readOverlayForm(elsewhere.get(parent)?.place ?? place, parent);
    const { lower = "" } = newOverlayForm(below);
    if (lower !== form.lower) {
      attempt(() => writeFileSync(join(staged.directory, "lower"), lower, { mode: 0o644 }));
    }
  }
  attempt(() => {
    renameSync(staged.directory, place.layerDirectory(id));
    if (form !== undefined) {
      symlinkSync(`../${id}/diff`, join(place.driverDirectory, "l", form.link));
    }
    renameSync(staged.tarSplitPath, place.tarSplitPath(id));
  });
}

function namesChanged(place: StorePlace): readonly string[] {
  const { driver, driverDirectory, layersDirectory } = place;
  return driver === "vfs"
    ? [join(driverDirectory, "dir"), layersDirectory]
    : [driverDirectory, join(driverDirectory, "l"), layersDirectory];
}

/** The numbers by which engines know compressions. */
const compressionNumbers: Readonly<Record<DetectedCompression, number>> = {
  none: 0,
  bzip2: 1,
  gzip: 2,
  xz: 3,
  zstd: 4,
};

/** Members stand in the order in which engines write them. */
function recordOf({ id, parent, staged }: ReadyLayer, created: Date): JsonObject {
  const { written, blob } = staged;
  const compression = compressionNumbers[blob.compression];
  return {
    id,
    ...(parent !== undefined && { parent }),
    created: created.toISOString(),
    "compressed-diff-digest": blob.digest,
    "compressed-size": blob.size,
    "diff-digest": written.diffId,
    "diff-size": written.uncompressedBytes,
    ...(compression > 0 && { compression }),
    ...(written.uids.length > 0 && { uidset: written.uids }),
    ...(written.gids.length > 0 && { gidset: written.gids }),
  };
}
