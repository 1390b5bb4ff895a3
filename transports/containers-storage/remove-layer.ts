// Removing a layer: its files, and what stands beside them. Its record is the affair of the caller.

import { existsSync, lstatSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../shared/system.ts";
import { removeAll } from "./remove-all.ts";
import type { StagingDirectory } from "./staging-directory.ts";
import type { StorePlace } from "./store-place.ts";

/**
 * Removes all that a store has of a layer but its record. It may be there in parts only. Where there is a
 * `trash` on its file system, the files go there, which takes no time while others wait.
 */
export function removeLayerFiles(place: StorePlace, id: string, trash?: StagingDirectory): void {
  const directory = place.layerDirectory(id);
  removeShortName(place, directory);
  if (trash === undefined) removeAll(directory);
  else if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) {
    attempt(() => renameSync(directory, trash.next()));
  }
  removeAll(place.tarSplitPath(id));
  removeAll(join(place.layersDirectory, id));
}

function removeShortName(place: StorePlace, directory: string): void {
  const path = join(directory, "link");
  if (place.driver !== "overlay" || !existsSync(path)) return;
  const link = attempt(() => readFileSync(path, "utf8").trim());
  if (!/^[A-Z2-7]+$/.test(link)) return;
  attempt(() => rmSync(join(place.driverDirectory, "l", link), { force: true }));
}
