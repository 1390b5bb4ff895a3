// Users: the containers of a store, which need images, and layers below their own.
//
// Those that need not outlive a crash are recorded apart: beside the others or, where engines are told to
// keep nothing, below the run root, with a lock of their own.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TransportContext } from "../../core/image/transport.ts";
import type { JsonObject } from "../../core/json.ts";
import { LockedRecords } from "./change-store.ts";
import { lockFile } from "./lock-file.ts";
import { type LayerRecord, layerRecord } from "./records.ts";
import { readRecordFile } from "./read-store.ts";
import type { StorePlace } from "./store-place.ts";

/** Who needs images and layers of a store besides its images. */
export interface StoreUsers {
  readonly containers: readonly JsonObject[];
  /** Layers that containers write to, as far as they are not recorded among all others. */
  readonly layers: readonly LayerRecord[];
}

/** Keeps everybody from making containers. To be asked for after layers and images have been locked. */
export async function lockContainers(
  place: StorePlace,
  runRoot: string,
  context: TransportContext,
): Promise<AsyncDisposable> {
  await using locking = new AsyncDisposableStack();
  locking.use(await LockedRecords.lock(place, "containers", context));
  const directory = transientDirectory(place, runRoot, "containers");
  if (existsSync(directory)) {
    locking.use(await lockFile(join(directory, "containers.lock"), "exclusive", context));
  }
  return locking.move();
}

/** Reads who there is. Whoever relies on it for longer than a moment holds the locks. */
export function readUsers(place: StorePlace, runRoot: string): StoreUsers {
  const containers = "volatile-containers.json";
  const layers = "volatile-layers.json";
  return {
    containers: [
      join(place.containersDirectory, "containers.json"),
      join(place.containersDirectory, containers),
      join(transientDirectory(place, runRoot, "containers"), containers),
    ].flatMap(readRecordFile),
    layers: [
      join(place.layersDirectory, layers),
      join(transientDirectory(place, runRoot, "layers"), layers),
    ].flatMap((path) => readRecordFile(path).map(layerRecord)),
  };
}

function transientDirectory(
  { driver }: StorePlace,
  runRoot: string,
  kind: "containers" | "layers",
): string {
  return join(runRoot, `${driver}-${kind}`);
}
