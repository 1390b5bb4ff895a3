// Made store: a store of images as engines leave it, written by hand, so that it can be wrong in one way.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Crc64 } from "../../core/blob/crc64.ts";
import { TarSplitEncoder } from "../../core/blob/tar-split.ts";
import { digestOf } from "../../core/content/digest.ts";
import type { StorageConf } from "../../core/image/storage-settings.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import type { ChosenStore } from "../../transports/containers-storage/choose-store.ts";
import { parseOptions } from "../../transports/containers-storage/options.ts";
import { configOf } from "./docker-tars.ts";
import { imageOf, mediaTypes, type SampleImage } from "./sample-images.ts";
import { tarHeader, tarOf } from "./tar-bytes.ts";
import { type ContextWish, transportContext } from "./transport-context.ts";

/** One layer of a made store: an archive of one file. */
export interface MadeLayer {
  readonly id: string;
  readonly parent?: string;
  readonly file: string;
  readonly content: Uint8Array;
  readonly tar: Uint8Array;
  readonly digest: string;
}

/** Returns the layers of an image, base first: each holds one file of this name. */
export function madeLayers(...files: readonly string[]): readonly MadeLayer[] {
  const layers: MadeLayer[] = [];
  for (const file of files) {
    const content = new TextEncoder().encode(`the content of ${file}`);
    const tar = tarOf([{ path: file, body: content }]);
    const digest = digestOf(tar);
    const parent = layers.at(-1)?.id;
    const hex = digest.slice("sha256:".length);
    const id =
      parent === undefined
        ? hex
        : digestOf(new TextEncoder().encode(`${parent}+${hex}`)).slice("sha256:".length);
    layers.push({ id, ...(parent !== undefined && { parent }), file, content, tar, digest });
  }
  return layers;
}

/** Returns an image of these layers, whose manifest lists them as if they were compressed. */
export function imageOfLayers(layers: readonly MadeLayer[]): SampleImage {
  const diffIds = layers.map(({ digest }) => digest);
  const bytes = new TextEncoder().encode(configOf(...diffIds));
  const config = { mediaType: mediaTypes.oci.config, bytes, digest: digestOf(bytes) };
  const blobs = layers.map(({ tar }) => {
    const compressed = gzipSync(tar);
    return { mediaType: mediaTypes.oci.gzip, bytes: compressed, digest: digestOf(compressed) };
  });
  return imageOf("oci", config, blobs, diffIds);
}

/** An image of a made store. */
export interface MadeImage {
  readonly names?: readonly string[];
  readonly layers: readonly MadeLayer[];
  /** Further items by their keys. */
  readonly items?: Readonly<Record<string, Uint8Array>>;
  readonly metadata?: string;
}

/** What a made store holds, and where. */
export interface MadeStore {
  readonly driver?: string;
  readonly images: readonly MadeImage[];
  /** Members that layer records are to have besides, or in place of the usual ones. */
  readonly layerMembers?: object;
}

/** Writes a store below `root`, and returns the images in it. */
export function makeStore(root: string, made: MadeStore): readonly SampleImage[] {
  const driver = made.driver ?? "overlay";
  const layers = new Map(made.images.flatMap((each) => each.layers).map((each) => [each.id, each]));
  for (const layer of layers.values()) writeLayer(root, driver, layer);
  const layerRecords = Array.from(layers.values(), ({ id, parent, digest, tar }) => ({
    id,
    ...(parent !== undefined && { parent }),
    created: "2024-01-01T00:00:00Z",
    "diff-digest": digest,
    "diff-size": tar.length,
    ...made.layerMembers,
  }));
  write(join(root, `${driver}-layers/layers.json`), JSON.stringify(layerRecords));
  const images = made.images.map((image) => imageOfLayers(image.layers));
  const records = made.images.map((image, index) => {
    const sample = images[index] ?? imageOfLayers(image.layers);
    const id = sample.config.digest.slice("sha256:".length);
    const items: Readonly<Record<string, Uint8Array>> = {
      [sample.config.digest]: sample.config.bytes,
      [`manifest-${sample.manifest.digest}`]: sample.manifest.bytes,
      manifest: sample.manifest.bytes,
      ...image.items,
    };
    for (const [key, bytes] of Object.entries(items)) {
      const plain = /^[a-z0-9.]+$/.test(key);
      const name = plain ? key : `=${Buffer.from(key).toString("base64")}`;
      write(join(root, `${driver}-images`, id, name), bytes);
    }
    const digests = Object.entries(items).map(([key, bytes]) => [key, digestOf(bytes)]);
    return {
      id,
      digest: sample.manifest.digest,
      names: image.names ?? [],
      layer: image.layers.at(-1)?.id,
      metadata: image.metadata ?? "{}",
      "big-data-names": Object.keys(items),
      "big-data-digests": Object.fromEntries(digests),
      created: "2024-01-01T00:00:00Z",
    };
  });
  write(join(root, `${driver}-images/images.json`), JSON.stringify(records));
  return images;
}

/** Returns the store at `root`, as it is chosen where nothing is said of it. */
export function chosenStore(root: string): ChosenStore {
  const options = parseOptions("overlay", []);
  return {
    driver: "overlay",
    graphRoot: root,
    imageRoot: root,
    runRoot: join(root, "run"),
    options,
  };
}

/** Returns a context in which the store at `root` is the usual one. */
export function storeContext(
  root: string,
  conf: Partial<StorageConf> = {},
  wish: ContextWish = {},
): TransportContext {
  const configured = async () => ({
    driver: "overlay",
    graphRoot: root,
    runRoot: join(root, "run"),
    options: [],
    ...conf,
  });
  const containersStorage = {
    configured,
    rootless: false,
    now: () => new Date("2024-05-06T07:08:09.123Z"),
  };
  return transportContext({ ...wish, settings: { containersStorage, ...wish.settings } });
}

function writeLayer(root: string, driver: string, layer: MadeLayer): void {
  const directory =
    driver === "vfs" ? join(root, "vfs/dir", layer.id) : join(root, driver, layer.id, "diff");
  write(join(directory, layer.file), layer.content);
  const encoder = new TarSplitEncoder();
  const crc = new Crc64();
  crc.update(layer.content);
  encoder.raw(tarHeader({ path: layer.file }, layer.content.length));
  encoder.file(new TextEncoder().encode(layer.file), {
    size: layer.content.length,
    checksum: crc.digest(),
  });
  encoder.raw(layer.tar.subarray(512 + layer.content.length));
  const lines = encoder.take("all") ?? new Uint8Array();
  write(join(root, `${driver}-layers`, `${layer.id}.tar-split.gz`), gzipSync(lines));
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
