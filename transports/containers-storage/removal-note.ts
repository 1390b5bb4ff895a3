// Removal notes: what goes from a store if an image is not on record in the end.
//
// Images and layers are recorded in two files, so there is always a moment in which a crash leaves layers of
// no image, and nobody else would ever remove them. Whoever changes both writes down beforehand what is to go
// then. A note is there only while its writer holds the lock of images: whoever gets that lock and finds one
// goes on with it.

import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { encodeJsonBytes, type JsonObject } from "../../core/json.ts";
import { writeSmallFile } from "../shared/small-file.ts";
import { attempt } from "../shared/system.ts";
import { temporaryPath } from "../shared/temporary.ts";
import { readCompleteLayers } from "./change-store.ts";
import type { LockedStore } from "./locked-store.ts";
import { imageRecord } from "./records.ts";
import { readRecordFile } from "./read-store.ts";
import { removeAll } from "./remove-all.ts";
import { removeLayerFiles } from "./remove-layer.ts";
import type { StagingDirectory } from "./staging-directory.ts";
import type { StorePlace } from "./store-place.ts";
import { superfluousLayers } from "./superfluous-layers.ts";
import { readUsers } from "./users.ts";

/** What goes, unless the image is on record. */
export interface Removal {
  readonly image: string;
  /** From the top down. Those that something else needs stay all the same. */
  readonly layers: readonly string[];
  /** Where files go, so that nobody waits for their removal. */
  readonly trash?: StagingDirectory;
}

/**
 * What is to go, written down. Disposing takes it away, as far as no image on record has it by then, and the
 * note itself.
 */
export class RemovalNote implements AsyncDisposable {
  readonly #path: string;
  readonly #note: JsonObject;
  readonly #locked: LockedStore;
  readonly #trash: StagingDirectory | undefined;

  /** Writes a note, for good. */
  constructor({ image, layers, trash }: Removal, locked: LockedStore) {
    const { imagesDirectory } = locked.place;
    // As if it were the record of an image, so that it is read like one.
    this.#note = { id: image, "mapped-layers": layers };
    this.#path = join(imagesDirectory, `${notePrefix}${crypto.randomUUID()}`);
    this.#locked = locked;
    this.#trash = trash;
    const temporary = temporaryPath(imagesDirectory);
    writeSmallFile(temporary, encodeJsonBytes([this.#note]), { mode: 0o600, durable: true });
    attempt(() => renameSync(temporary, this.#path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await carryOut(this.#note, this.#locked, this.#trash);
    attempt(() => rmSync(this.#path));
  }
}

/** Tells whether there are notes: those of somebody who is at work, or of a run that was ended. */
export function hasNotes(place: StorePlace): boolean {
  return notesIn(place).length > 0;
}

/** Goes on with what runs that were ended have left. */
export async function carryOutNotes(locked: LockedStore): Promise<void> {
  for (const path of notesIn(locked.place)) {
    locked.context.log.debug(
      `Going on with ${path}, which a run that ended before its time has left`,
    );
    for (const note of readNote(path)) await carryOut(note, locked);
    attempt(() => rmSync(path));
  }
}

const notePrefix = ".dray-removal-";

function notesIn({ imagesDirectory }: StorePlace): readonly string[] {
  const names = attempt(() => readdirSync(imagesDirectory));
  return names
    .filter((name) => name.startsWith(notePrefix))
    .map((name) => join(imagesDirectory, name));
}

function readNote(path: string): readonly JsonObject[] {
  try {
    return readRecordFile(path);
  } catch (error) {
    // What cannot be read tells nobody what to do.
    if (error instanceof Failure && error.code === "corrupt") return [];
    throw error;
  }
}

async function carryOut(
  note: JsonObject,
  { place, runRoot, layers, images, context }: LockedStore,
  trash?: StagingDirectory,
): Promise<void> {
  const { id } = imageRecord(note);
  const left = images.read();
  const isThere = left.some((json) => imageRecord(json).id === id);
  if (id !== "" && !isThere) removeAll(join(place.imagesDirectory, id));
  const users = readUsers(place, runRoot);
  const records = await readCompleteLayers(layers, place, context);
  const superfluous = superfluousLayers(note, {
    images: left,
    containers: users.containers,
    layers: [...records, ...users.layers],
  });
  const going = new Set(superfluous.map((layer) => layer.id).filter((each) => isNoted(note, each)));
  if (going.size === 0) return;
  const staying = records.filter((layer) => !going.has(layer.id)).map(({ json }) => json);
  const incomplete = records
    .filter((layer) => going.has(layer.id))
    .map(({ json }) => asIncomplete(json));
  await layers.write([...staying, ...incomplete]);
  for (const layer of going) removeLayerFiles(place, layer, trash);
  await layers.write(staying);
}

/** What lies below may have come from somebody who is still at work on an image. */
function isNoted(note: JsonObject, layer: string): boolean {
  const noted = note["mapped-layers"];
  return Array.isArray(noted) && noted.includes(layer);
}

function asIncomplete(json: JsonObject): JsonObject {
  const flags = json["flags"];
  const others = typeof flags === "object" && flags !== null && !Array.isArray(flags) ? flags : {};
  return { ...json, flags: { ...others, incomplete: true } };
}
