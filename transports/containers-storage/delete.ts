// Delete: taking an image out of a store, with the layers that nothing else there needs.

import { join } from "node:path";
import { isDigest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { Deletion, Removal } from "../../core/image/deletion.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { readCompleteLayers } from "./change-store.ts";
import type { ChosenStore } from "./choose-store.ts";
import { findImages } from "./find-image.ts";
import { LockedStore } from "./locked-store.ts";
import type { StorageName } from "./name.ts";
import { chooseWritable, findStore } from "./probe.ts";
import { type ImageRecord, imageRecord, type LayerRecord } from "./records.ts";
import { readImages, readLayers } from "./read-store.ts";
import { RemovalNote } from "./removal-note.ts";
import { repairStore } from "./repair.ts";
import { StagingDirectory } from "./staging-directory.ts";
import type { StorePlace } from "./store-place.ts";
import { superfluousLayers } from "./superfluous-layers.ts";
import { readUsers, type StoreUsers } from "./users.ts";

/**
 * Deletes an image with all of its names. Fails with `not-found` if it is not there, and with `refused`
 * while a container needs it.
 */
export async function deleteImage(name: StorageName, context: TransportContext): Promise<void> {
  await repairStore(await chooseWritable(name, context), context);
  // Before anything is made: there may be no store.
  const { store, place, record } = await findOwn(name, context);
  await using trash = await StagingDirectory.create(join(place.driverDirectory, "tempdirs"));
  await removeImage(record.id, { store, trash, context });
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
  readonly trash: StagingDirectory;
  readonly context: TransportContext;
}

async function removeImage(id: string, { store, trash, context }: Removing): Promise<void> {
  await using locked = await LockedStore.lock(store, context, "containers");
  const { place, images } = locked;
  const records = images.read();
  const found = records.find((json) => imageRecord(json).id === id);
  if (found === undefined) throw notHere(id);
  const { containers, layers: ofContainers } = readUsers(place, store.runRoot);
  checkUnused(id, containers);
  const others = records.filter((json) => json !== found);
  const layers = await readCompleteLayers(locked.layers, place, context);
  const superfluous = superfluousLayers(found, {
    images: others,
    containers,
    layers: [...layers, ...ofContainers],
  });
  const removal = { image: id, layers: superfluous.map((layer) => layer.id), trash };
  await using _ = new RemovalNote(removal, locked);
  await images.write(others);
}
