// Changing a store: its records under their locks, and the directories that it needs to be one.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { encodeJsonBytes, type JsonObject } from "../../core/json.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { writeSmallFile } from "../shared/small-file.ts";
import { attempt } from "../shared/system.ts";
import { isTemporaryName, temporaryPath } from "../shared/temporary.ts";
import { type HeldLock, lockFile } from "./lock-file.ts";
import { layerRecord, type LayerRecord } from "./records.ts";
import { readRecordFile } from "./read-store.ts";
import { removeLayerFiles } from "./remove-layer.ts";
import type { StorePlace } from "./store-place.ts";

/** Which records are changed. */
export type RecordKind = "layers" | "images" | "containers";

/** Records that nobody else can change at the moment. Disposing lets go of them. */
export class LockedRecords implements AsyncDisposable {
  readonly #lock: HeldLock;
  readonly #path: string;

  private constructor(lock: HeldLock, path: string) {
    this.#lock = lock;
    this.#path = path;
  }

  /**
   * Locks the records of a kind. Whoever needs several kinds asks for layers first, then for images, then
   * for containers: so does everybody, and nobody waits for ever.
   */
  static async lock(
    place: StorePlace,
    kind: RecordKind,
    context: TransportContext,
  ): Promise<LockedRecords> {
    const directory = directoryOf(place, kind);
    makeDirectory(directory);
    const lock = await lockFile(join(directory, `${kind}.lock`), "exclusive", context);
    return new LockedRecords(lock, join(directory, `${kind}.json`));
  }

  /** Returns the records as they are. */
  read(): readonly JsonObject[] {
    return readRecordFile(this.#path);
  }

  /** Replaces the records. Others are told before, because they may look at any moment. */
  async write(records: readonly JsonObject[]): Promise<void> {
    await this.#lock.announceChange();
    this.removeUnfinished();
    replaceDurably(this.#path, encodeJsonBytes(records));
  }

  /** Removes records that somebody began to write. Nobody else is writing now: they will never be finished. */
  removeUnfinished(): void {
    const directory = dirname(this.#path);
    attempt(() => {
      for (const name of readdirSync(directory).filter(isTemporaryName)) {
        rmSync(join(directory, name), { force: true });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]();
  }
}

/**
 * Returns the layers of a store, once those are gone that somebody began and did not complete, or whose
 * removal was interrupted.
 */
export async function readCompleteLayers(
  layers: LockedRecords,
  place: StorePlace,
  { log }: TransportContext,
): Promise<readonly LayerRecord[]> {
  const all = layers.read().map(layerRecord);
  const incomplete = all.filter((record) => record.incomplete);
  if (incomplete.length === 0) return all;
  for (const { id } of incomplete) {
    log.warn(`Found incomplete layer ${JSON.stringify(id)}, deleting it`);
    if (id !== "") removeLayerFiles(place, id);
  }
  const complete = all.filter((record) => !record.incomplete);
  await layers.write(complete.map(({ json }) => json));
  return complete;
}

/** Makes the directories of a store that are not there, with the modes that engines give them. */
export function makeStore(place: StorePlace): void {
  makeDirectory(place.root);
  makeDirectory(place.driverDirectory);
  if (place.driver === "overlay") makeDirectory(join(place.driverDirectory, "l"), 0o755);
  else makeDirectory(join(place.driverDirectory, "dir"));
  for (const kind of ["layers", "images", "containers"] as const) {
    makeDirectory(directoryOf(place, kind));
  }
}

/** Brings names in a directory to the disk: those that were given or taken by now. */
export function syncNames(directory: string): void {
  attempt(() => {
    const descriptor = openSync(directory, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

function directoryOf(place: StorePlace, kind: RecordKind): string {
  switch (kind) {
    case "layers":
      return place.layersDirectory;
    case "images":
      return place.imagesDirectory;
    case "containers":
      return place.containersDirectory;
  }
}

function makeDirectory(path: string, mode = 0o700): void {
  if (existsSync(path)) return;
  attempt(() => mkdirSync(path, { recursive: true, mode }));
}

/** Not by `NewFile`: these are small, hidden from all but their owner, and nothing else goes on meanwhile. */
function replaceDurably(path: string, bytes: Uint8Array): void {
  const temporary = temporaryPath(dirname(path));
  writeSmallFile(temporary, bytes, { mode: 0o600, durable: true });
  attempt(() => renameSync(temporary, path));
}
