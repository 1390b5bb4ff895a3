// Installing an image: its record, its items, and its name, which it may take from another image.

import { mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { isJsonObject, type Json } from "../../core/json.ts";
import { attempt } from "../shared/system.ts";
import { type LockedRecords, syncNames } from "./change-store.ts";
import { imageRecord } from "./records.ts";
import type { StorePlace } from "./store-place.ts";

/** Something that is kept with an image: written already, but not where it belongs. */
export interface ImageItem {
  readonly key: string;
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

/** An image that is ready to become part of a store. */
export interface ReadyImage {
  readonly id: string;
  /** Absent in an image without layers. */
  readonly layer?: string;
  /** In full; absent where it is to have no name of its own. */
  readonly name?: string;
  /** In the order in which they are recorded. */
  readonly items: readonly ImageItem[];
  readonly metadata: string;
  /** As its config says, or now. */
  readonly created: string;
}

/**
 * Makes an image part of the store. One that has its ID already is replaced in all but its other names and
 * items. Fails if that one has other layers.
 */
export async function installImage(
  image: ReadyImage,
  images: LockedRecords,
  place: StorePlace,
): Promise<void> {
  const records = images.read();
  const found = records.find((json) => imageRecord(json).id === image.id);
  if (found !== undefined && imageRecord(found).layer !== image.layer) {
    throw new Failure(
      "refused",
      `image with ID ${JSON.stringify(image.id)} already exists, but uses a different top layer: that ID is already in use`,
    );
  }
  moveItemsIn(image, place);
  const own = recordOf(image, found);
  const others = records.map((json) => (json === found ? own : withoutName(json, image.name)));
  await images.write(found === undefined ? [...others, own] : others);
}

function moveItemsIn({ id, items }: ReadyImage, place: StorePlace): void {
  const [first] = items;
  if (first === undefined) throw new Failure("bug", "An image has nothing to be kept with it");
  const directory = dirname(place.bigDataPath(id, first.key));
  attempt(() => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const { key, path } of items) renameSync(path, place.bigDataPath(id, key));
  });
  for (const each of [directory, place.imagesDirectory]) syncNames(each);
}

/** Members stand in the order in which engines write them; those that only they know stay. */
function recordOf(image: ReadyImage, found: JsonObject | undefined): JsonObject {
  const { id, layer, name, items, metadata, created } = image;
  const old = found ?? {};
  const names = distinct([...(name === undefined ? [] : [name]), ...textsIn(old["names"])]);
  const history = distinct([
    ...(name === undefined ? [] : [name]),
    ...textsIn(old["names-history"]),
  ]);
  const keys = distinct([...textsIn(old["big-data-names"]), ...items.map(({ key }) => key)]);
  const sizes = new Map(entriesIn(old["big-data-sizes"]));
  const digests = new Map(entriesIn(old["big-data-digests"]));
  for (const { key, size, digest } of items) {
    sizes.set(key, size);
    digests.set(key, digest);
  }
  const first = keys.find((key) => key.startsWith("manifest") && digests.has(key));
  return {
    id,
    ...(first !== undefined && { digest: digests.get(first) ?? "" }),
    ...(names.length > 0 && { names }),
    ...(history.length > 0 && { "names-history": history }),
    ...(layer !== undefined && { layer }),
    ...membersOf(old, ["mapped-layers"]),
    metadata,
    "big-data-names": keys,
    "big-data-sizes": sortedObject(sizes),
    "big-data-digests": sortedObject(digests),
    created: typeof old["created"] === "string" ? old["created"] : created,
    ...othersOf(old),
  };
}

/** The members that this file knows how to make. */
const known: ReadonlySet<string> = new Set([
  "id",
  "digest",
  "names",
  "names-history",
  "layer",
  "mapped-layers",
  "metadata",
  "big-data-names",
  "big-data-sizes",
  "big-data-digests",
  "created",
]);

function othersOf(json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([name]) => !known.has(name)));
}

function membersOf(json: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([name]) => names.includes(name)));
}

/** A name leads to one image: whoever had it before keeps it in its history only. */
function withoutName(json: JsonObject, name: string | undefined): JsonObject {
  const names = textsIn(json["names"]);
  if (name === undefined || !names.includes(name)) return json;
  const left = names.filter((each) => each !== name);
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]): readonly (readonly [string, Json])[] => {
      if (key !== "names") return [[key, value]];
      return left.length > 0 ? [[key, left]] : [];
    }),
  );
}

function textsIn(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  const items: readonly Json[] = value;
  return items.filter((item) => typeof item === "string");
}

function entriesIn(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

/** As Go writes maps. */
function sortedObject(entries: ReadonlyMap<string, Json>): JsonObject {
  return Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
