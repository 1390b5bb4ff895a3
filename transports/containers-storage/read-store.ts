// Reading a store: its records as they are at one moment.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { attempt } from "../shared/system.ts";
import type { ChosenStore } from "./choose-store.ts";
import { lockFile } from "./lock-file.ts";
import {
  type ImageRecord,
  imageRecord,
  type LayerRecord,
  layerRecord,
  parseRecords,
} from "./records.ts";
import { StorePlace } from "./store-place.ts";

/** An image, and where it is kept. */
export interface KeptImage {
  readonly place: StorePlace;
  readonly record: ImageRecord;
}

/** A layer, and where it is kept. */
export interface KeptLayer {
  readonly place: StorePlace;
  readonly record: LayerRecord;
}

/** Returns everywhere that images of a store may be: where they are written first. */
export function placesOf({ driver, graphRoot, imageRoot, options }: ChosenStore): StorePlace[] {
  const roots = new Set([imageRoot, graphRoot, ...options.additionalStores]);
  return Array.from(roots, (root) => new StorePlace(root, driver));
}

/** Reads the images of a store. Of images with one ID or one name, the first place has the one that counts. */
export async function readImages(
  store: ChosenStore,
  context: TransportContext,
): Promise<readonly KeptImage[]> {
  const images: KeptImage[] = [];
  const ids = new Set<string>();
  for (const place of placesOf(store)) {
    for (const record of await readImagesAt(place, context)) {
      if (record.id === "" || ids.has(record.id)) continue;
      ids.add(record.id);
      images.push({ place, record });
    }
  }
  return images;
}

async function readImagesAt(
  place: StorePlace,
  context: TransportContext,
): Promise<readonly ImageRecord[]> {
  const { imagesDirectory: directory } = place;
  if (!existsSync(directory)) return [];
  await using _ = await lockFile(join(directory, "images.lock"), "shared", context);
  return readRecordFile(join(directory, "images.json")).map(imageRecord);
}

/** Reads the layers of a store by their IDs. Those that are still being written do not count. */
export async function readLayers(
  store: ChosenStore,
  context: TransportContext,
): Promise<ReadonlyMap<string, KeptLayer>> {
  const layers = new Map<string, KeptLayer>();
  for (const place of placesOf(store)) {
    for (const record of await readLayersAt(place, context)) {
      if (record.id === "" || record.incomplete || layers.has(record.id)) continue;
      layers.set(record.id, { place, record });
    }
  }
  return layers;
}

/** Those of containers that need not outlive a crash. */
const volatileFile = "volatile-layers.json";

async function readLayersAt(
  place: StorePlace,
  context: TransportContext,
): Promise<readonly LayerRecord[]> {
  const { layersDirectory: directory } = place;
  if (!existsSync(directory)) return [];
  await using _ = await lockFile(join(directory, "layers.lock"), "shared", context);
  return ["layers.json", volatileFile].flatMap((file) =>
    readRecordFile(join(directory, file)).map(layerRecord),
  );
}

/** Reads a file of records; one that is not there has none. Fails with `corrupt` on what engines do not make. */
export function readRecordFile(path: string): ReturnType<typeof parseRecords> {
  const found = attempt(() => statSync(path, { throwIfNoEntry: false }));
  if (found === undefined) return [];
  if (!found.isFile()) throw new Failure("corrupt", `${quoted(path)} is no file`);
  if (found.size > limits.storeRecordsBytes) {
    throw new Failure("corrupt", `${quoted(path)} is larger than anybody needs`);
  }
  return parseRecords(
    attempt(() => readFileSync(path)),
    path,
  );
}

/** Returns the layers that an image consists of, base first. Fails with `corrupt` if one is missing. */
export function chainOf(
  top: string | undefined,
  layers: ReadonlyMap<string, KeptLayer>,
): readonly KeptLayer[] {
  const chain: KeptLayer[] = [];
  for (let id = top; id !== undefined;) {
    const layer = layers.get(id);
    if (layer === undefined) throw new Failure("corrupt", `layer ${id}: layer not known`);
    if (chain.length > limits.layers) {
      throw new Failure("corrupt", `Image has more than ${limits.layers} layers`);
    }
    chain.push(layer);
    id = layer.record.parent;
  }
  return chain.reverse();
}
