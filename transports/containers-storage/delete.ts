// Delete: taking an image out of a store, with the layers that nothing else there needs.

import { join } from "node:path";
import { isDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { Deletion, Removal } from "../../core/image/deletion.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { JsonObject } from "../../core/json.ts";
import { LockedRecords, readCompleteLayers } from "./change-store.ts";
import type { ChosenStore } from "./choose-store.ts";
import { findImages } from "./find-image.ts";
import type { StorageName } from "./name.ts";
import { findStore } from "./probe.ts";
import { type ImageRecord, imageRecord, type LayerRecord } from "./records.ts";
import { readImages, readLayers } from "./read-store.ts";
import { removeAll } from "./remove-all.ts";
import { removeLayerFiles } from "./remove-layer.ts";
import { StagingDirectory } from "./staging-directory.ts";
import { StorePlace } from "./store-place.ts";
import { superfluousLayers } from "./superfluous-layers.ts";
import { lockContainers, readUsers, type StoreUsers } from "./users.ts";

/**
 * Deletes an image with all of its names. Fails with `not-found` if it is not there, and with `refused`
 * while a container needs it.
 */
export async function deleteImage(name: StorageName, context: TransportContext): Promise<void> {
  // Before anything is made: there may be no store.
  const { store, place, record } = await findOwn(name, context);
  await using trash = await StagingDirectory.create(join(place.driverDirectory, "tempdirs"));
  await removeImage(record.id, { store, place, trash, context });
}

/** Returns what `deleteImage` would take away. Nothing is changed, and no lock is held. */
export async function planDeletion(
  name: StorageName,
  context: TransportContext,
): Promise<Deletion> {
  const { store, place, record, images } = await findOwn(name, context);
  const { containers, layers: ofContainers } = readUsers(place, store.runRoot);
  checkUnused(record.id, containers);
  const here = [...(await readLayers(store, context)).values()].filter(
    (layer) => layer.place.root === place.root,
  );
  const superfluous = superfluousLayers(record.json, {
    images: images.filter(({ id }) => id !== record.id).map(({ json }) => json),
    containers,
    layers: [...here.map((layer) => layer.record), ...ofContainers],
  });
  const digest = record.json["digest"];
  return {
    ...(typeof digest === "string" && isDigest(digest) && { digest }),
    removals: [
      ...record.names.map((each): Removal => ({ kind: "tag", name: each })),
      ...superfluous.map(removalOf),
    ],
    notes: ["layers that something else needs stay"],
  };
}

function removalOf({ id, diffDigest, expectedDiffDigest, diffSize }: LayerRecord): Removal {
  return {
    kind: "blob",
    name: diffDigest ?? expectedDiffDigest ?? id,
    ...(diffSize !== undefined && { size: diffSize }),
  };
}

/** An image of a store that can be changed. */
interface OwnImage {
  readonly store: ChosenStore;
  readonly place: StorePlace;
  readonly record: ImageRecord;
  /** All of the store, this one too. */
  readonly images: readonly ImageRecord[];
}

async function findOwn(name: StorageName, context: TransportContext): Promise<OwnImage> {
  const { store, wanted } = await findStore(name, context);
  const images = await readImages(store, context);
  const [{ record, place }] = findImages(wanted, images, name);
  if (place.root !== store.imageRoot) throw notHere(record.id);
  const here = images.filter((image) => image.place.root === place.root);
  return { store, place, record, images: here.map((image) => image.record) };
}

function notHere(id: string): Failure {
  return new Failure("not-found", `image ${id}: identifier is not an image`, {
    hint: "images of additional stores cannot be deleted",
  });
}

function checkUnused(id: string, containers: StoreUsers["containers"]): void {
  const user = containers.find((json) => json["image"] === id);
  if (user === undefined) return;
  throw new Failure(
    "refused",
    `image used by ${String(user["id"])}: image is in use by a container`,
    { hint: "remove the container first" },
  );
}

interface Removing {
  readonly store: ChosenStore;
  readonly place: StorePlace;
  readonly trash: StagingDirectory;
  readonly context: TransportContext;
}

async function removeImage(id: string, removing: Removing): Promise<void> {
  const { store, place, context } = removing;
  await using layers = await LockedRecords.lock(place, "layers", context);
  await using images = await LockedRecords.lock(place, "images", context);
  await using _ = await lockContainers(place, store.runRoot, context);
  const records = images.read();
  const found = records.find((json) => imageRecord(json).id === id);
  if (found === undefined) throw notHere(id);
  const users = readUsers(place, store.runRoot);
  checkUnused(id, users.containers);
  const others = records.filter((json) => json !== found);
  await images.write(others);
  removeAll(join(place.imagesDirectory, id));
  await removeLayers(found, { images: others, users, layers }, removing);
}

/** Who may need layers, and the records of those. */
interface Holders {
  readonly images: readonly JsonObject[];
  readonly users: StoreUsers;
  readonly layers: LockedRecords;
}

/** Removes the layers of an image from the top down, as far as nothing else needs them. */
async function removeLayers(
  image: JsonObject,
  { images, users, layers }: Holders,
  { place, trash, context }: Removing,
): Promise<void> {
  const records = await readCompleteLayers(layers, place, context);
  const all = { images, containers: users.containers, layers: [...records, ...users.layers] };
  const superfluous = new Set(superfluousLayers(image, all).map(({ id }) => id));
  if (superfluous.size === 0) return;
  const left = records.filter(({ id }) => !superfluous.has(id)).map(({ json }) => json);
  const going = records
    .filter(({ id }) => superfluous.has(id))
    .map(({ json }) => asIncomplete(json));
  await layers.write([...left, ...going]);
  for (const id of superfluous) removeLayerFiles(place, id, trash);
  await layers.write(left);
}

function asIncomplete(json: JsonObject): JsonObject {
  const flags = json["flags"];
  const others = typeof flags === "object" && flags !== null && !Array.isArray(flags) ? flags : {};
  return { ...json, flags: { ...others, incomplete: true } };
}
