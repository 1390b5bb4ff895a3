// Delete: taking an image out of a store, with the layers that nothing else there needs.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { LockedRecords, readCompleteLayers } from "./change-store.ts";
import { findImages } from "./find-image.ts";
import type { StorageName } from "./name.ts";
import { findStore } from "./probe.ts";
import { imageRecord, type LayerRecord, layerRecord } from "./records.ts";
import { readImages, readRecordFile } from "./read-store.ts";
import { removeAll } from "./remove-all.ts";
import { removeLayerFiles } from "./remove-layer.ts";
import { StagingDirectory } from "./staging-directory.ts";
import type { StorePlace } from "./store-place.ts";

/**
 * Deletes an image with all of its names. Fails with `not-found` if it is not there, and with `refused`
 * while a container needs it.
 */
export async function deleteImage(name: StorageName, context: TransportContext): Promise<void> {
  // Before anything is made: there may be no store.
  const { store, wanted } = await findStore(name, context);
  const images = await readImages(store, context);
  const [{ record, place }] = findImages(wanted, images, name);
  if (place.root !== store.imageRoot) throw notHere(record.id);
  await using trash = await StagingDirectory.create(join(place.driverDirectory, "tempdirs"));
  await removeImage(record.id, { place, trash, context });
}

function notHere(id: string): Failure {
  return new Failure("not-found", `image ${id}: identifier is not an image`, {
    hint: "images of additional stores cannot be deleted",
  });
}

interface Removal {
  readonly place: StorePlace;
  readonly trash: StagingDirectory;
  readonly context: TransportContext;
}

async function removeImage(id: string, removal: Removal): Promise<void> {
  const { place, context } = removal;
  await using layers = await LockedRecords.lock(place, "layers", context);
  await using images = await LockedRecords.lock(place, "images", context);
  await using containerRecords = await LockedRecords.lock(place, "containers", context);
  const records = images.read();
  const found = records.find((json) => imageRecord(json).id === id);
  if (found === undefined) throw notHere(id);
  const users = [
    ...containerRecords.read(),
    ...readRecordFile(join(place.containersDirectory, "volatile-containers.json")),
  ];
  const user = users.find((json) => json["image"] === id);
  if (user !== undefined) {
    throw new Failure(
      "refused",
      `image used by ${String(user["id"])}: image is in use by a container`,
      { hint: "remove the container first" },
    );
  }
  const others = records.filter((json) => json !== found);
  await images.write(others);
  removeAll(join(place.imagesDirectory, id));
  await removeLayers(found, { others, users, layers }, removal);
}

/** Who may need layers. */
interface Users {
  readonly others: readonly JsonObject[];
  readonly users: readonly JsonObject[];
  readonly layers: LockedRecords;
}

/** Removes the layers of an image from the top down, as far as nothing else needs them. */
async function removeLayers(
  image: JsonObject,
  { others, users, layers }: Users,
  { place, trash, context }: Removal,
): Promise<void> {
  const records = await readCompleteLayers(layers, place, context);
  const needed = neededLayers(others, users);
  const superfluous = superfluousLayers(image, records, needed, volatileLayers(place));
  if (superfluous.size === 0) return;
  const left = records.filter(({ id }) => !superfluous.has(id)).map(({ json }) => json);
  const going = records
    .filter(({ id }) => superfluous.has(id))
    .map(({ json }) => asIncomplete(json));
  await layers.write([...left, ...going]);
  for (const id of superfluous) removeLayerFiles(place, id, trash);
  await layers.write(left);
}

function volatileLayers(place: StorePlace): readonly LayerRecord[] {
  const path = join(place.layersDirectory, "volatile-layers.json");
  return existsSync(path) ? readRecordFile(path).map(layerRecord) : [];
}

/** The tops of other images, for whatever mapping of owners, and what containers write to. */
function neededLayers(
  images: readonly JsonObject[],
  users: readonly JsonObject[],
): ReadonlySet<string> {
  const needed = [...images.flatMap(topsOf), ...users.map((json) => String(json["layer"] ?? ""))];
  return new Set(needed);
}

function topsOf(json: JsonObject): readonly string[] {
  const mapped = json["mapped-layers"];
  const { layer } = imageRecord(json);
  return [
    ...(layer === undefined ? [] : [layer]),
    ...(Array.isArray(mapped) ? mapped.map(String) : []),
  ];
}

function superfluousLayers(
  image: JsonObject,
  records: readonly LayerRecord[],
  needed: ReadonlySet<string>,
  volatile: readonly LayerRecord[],
): ReadonlySet<string> {
  const byId = new Map(records.map((record) => [record.id, record]));
  const superfluous = new Set<string>();
  const hasChild = (id: string) =>
    [...records, ...volatile].some((each) => each.parent === id && !superfluous.has(each.id));
  for (const top of topsOf(image)) {
    for (let id: string | undefined = top; id !== undefined && !superfluous.has(id);) {
      const record = byId.get(id);
      if (record === undefined || needed.has(id) || hasChild(id)) break;
      superfluous.add(id);
      id = record.parent;
    }
  }
  return superfluous;
}

function asIncomplete(json: JsonObject): JsonObject {
  const flags = json["flags"];
  const others = typeof flags === "object" && flags !== null && !Array.isArray(flags) ? flags : {};
  return { ...json, flags: { ...others, incomplete: true } };
}
