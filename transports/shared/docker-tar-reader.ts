// Docker tar reader: an image in an archive as `docker save` writes it.
//
// The format has no manifest of the kind that registries know. So one is made up, the same that the
// original makes up: its layers are the uncompressed ones, and go by the digests that the config names.

import { posix } from "node:path";
import { decompressed, detectCompression, magicBytes } from "../../core/blob/decompress.ts";
import { collect } from "../../core/blob/collect.ts";
import { peeked } from "../../core/blob/peek.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import { mapLimited } from "../../core/concurrency.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestOf, parseDigest } from "../../core/content/digest.ts";
import { configTypes, layerFamilies, manifestTypes } from "../../core/content/media-types.ts";
import { during, Failure, inContext } from "../../core/failure.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { isJsonObject, type Json, memberOf, parseForeignJson } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { writeSchema2 } from "../../core/manifest/schema2.ts";
import type { Archive } from "./archive.ts";
import {
  choosePosition,
  type DockerTarItem,
  itemsFile,
  parseItems,
  type WantedItem,
} from "./docker-tar-items.ts";

/** An image in an archive, ready to be read. Blobs may be read several at a time. */
export interface DockerTarImage {
  readonly item: DockerTarItem;
  /** As made up for the image. */
  readonly manifest: RawManifest;
  readonly config: Descriptor;
  /** Base first; they go by the digests that they have without compression. */
  readonly layers: readonly Descriptor[];
  /** Opens the config or a layer, uncompressed. Fails with `corrupt` if the image has no such blob. */
  openBlob(digest: Digest, ...signals: readonly AbortSignal[]): ByteStream;
}

/** Reads the images of one archive, which stays the caller's. */
export class DockerTarReader {
  /** The images that are there. */
  readonly items: readonly DockerTarItem[];
  readonly #archive: Archive;
  readonly #layers = new Map<string, Promise<StoredLayer>>();

  private constructor(archive: Archive, items: readonly DockerTarItem[]) {
    this.#archive = archive;
    this.items = items;
  }

  /** Reads the table of contents of an archive. Fails with `corrupt` if there is none. */
  static async open(archive: Archive): Promise<DockerTarReader> {
    const bytes = await readComponent(archive, itemsFile, limits.archiveItemsBytes);
    return new DockerTarReader(archive, parseItems(bytes));
  }

  /**
   * Finds an image, and makes up its manifest.
   *
   * Layers that are stored compressed are read once, because the manifest says how large they are without.
   * Fails with `refused` if the image is not there, and with `corrupt` if parts of it are not.
   */
  async readImage(wanted: WantedItem, ...signals: readonly AbortSignal[]): Promise<DockerTarImage> {
    const item = this.items[choosePosition(this.items, wanted)];
    if (item === undefined) throw new Failure("bug", "An image was chosen that is not there");
    const bytes = await readComponent(this.#archive, item.config, limits.configBytes);
    const diffIds = diffIdsOf(bytes, item.config);
    const places = [...placesOf(item, diffIds)];
    const found = await mapLimited(places, limits.parallelBlobs, async ([digest, path], stop) => {
      return [digest, await this.#layerAt(path, stop, ...signals)] as const;
    });
    return makeUp(item, { bytes, diffIds, stored: new Map(found) });
  }

  /** Images share layers; no layer is looked at twice. */
  #layerAt(path: string, ...signals: readonly AbortSignal[]): Promise<StoredLayer> {
    const layer = this.#layers.get(path) ?? storedLayer(this.#archive, path, ...signals);
    this.#layers.set(path, layer);
    return layer;
  }
}

/** What an image is made up from. */
interface ImageParts {
  /** The config, as it stands in the archive. */
  readonly bytes: Uint8Array;
  readonly diffIds: readonly Digest[];
  readonly stored: ReadonlyMap<Digest, StoredLayer>;
}

function makeUp(item: DockerTarItem, { bytes, diffIds, stored }: ImageParts): DockerTarImage {
  const config = { mediaType: configTypes.docker, digest: digestOf(bytes), size: bytes.length };
  const layers = diffIds.map((digest) => ({
    // For what is uncompressed: the original says so too, and digests depend on it.
    mediaType: layerFamilies.docker.gzip,
    digest,
    size: stored.get(digest)?.size ?? 0,
  }));
  return {
    item,
    manifest: { bytes: writeSchema2({ config, layers }), mediaType: manifestTypes.schema2 },
    config,
    layers,
    openBlob(digest, ...signals) {
      if (digest === config.digest) return streamOf(bytes.slice());
      const layer = stored.get(digest);
      if (layer === undefined) throw new Failure("corrupt", `Unknown blob "${digest}"`);
      return layer.open(...signals);
    },
  };
}

/** Returns the digests of the uncompressed layers, base first. */
function diffIdsOf(config: Uint8Array, path: string): readonly Digest[] {
  const quoted = JSON.stringify(path);
  let json: Json;
  try {
    json = parseForeignJson(config);
  } catch (error) {
    throw inContext(`decoding tar config ${quoted}`, error);
  }
  const rootfs = isJsonObject(json) ? memberOf(json, "rootfs") : undefined;
  if (!isJsonObject(rootfs)) {
    throw new Failure("corrupt", `Invalid image config (rootFS is not set): ${quoted}`);
  }
  const diffIds = memberOf(rootfs, "diff_ids") ?? [];
  if (!Array.isArray(diffIds)) {
    throw new Failure("corrupt", `decoding tar config ${quoted}: diff_ids is no array`);
  }
  try {
    return diffIds.map((diffId) => parseDigest(typeof diffId === "string" ? diffId : ""));
  } catch (error) {
    throw inContext(`decoding tar config ${quoted}`, error);
  }
}

/** Returns where each distinct layer is kept: at the first of the names that it goes by. */
function placesOf(item: DockerTarItem, diffIds: readonly Digest[]): ReadonlyMap<Digest, string> {
  if (item.layers.length !== diffIds.length) {
    throw new Failure(
      "corrupt",
      `Inconsistent layer count: ${item.layers.length} in manifest, ${diffIds.length} in config`,
    );
  }
  if (diffIds.length > limits.layers) {
    throw new Failure("corrupt", `Image has ${diffIds.length} layers, more than ${limits.layers}`);
  }
  const places = new Map<Digest, string>();
  const taken = new Set<string>();
  for (const [index, digest] of diffIds.entries()) {
    if (places.has(digest)) continue;
    const path = posix.normalize(item.layers[index] ?? "");
    if (taken.has(path)) {
      const quoted = JSON.stringify(path);
      throw new Failure("corrupt", `Layer tarfile ${quoted} used for two different DiffID values`);
    }
    taken.add(path);
    places.set(digest, path);
  }
  return places;
}

/** A layer as it is kept, and how large it is without compression. */
interface StoredLayer {
  readonly size: number;
  /** Opens it, without compression. */
  open(...signals: readonly AbortSignal[]): ByteStream;
}

async function storedLayer(
  archive: Archive,
  path: string,
  ...signals: readonly AbortSignal[]
): Promise<StoredLayer> {
  const component = archive.find(path);
  if (component === undefined) {
    throw new Failure("corrupt", "Some layer tarfiles are missing in the tarball", {
      hint: `there is no ${JSON.stringify(path)}`,
    });
  }
  await using peek = await peeked(() => component.open(...signals), magicBytes);
  const compression = detectCompression(peek.start);
  if (compression === "none") return component;
  const unpack = decompressed(compression);
  let size = 0;
  for await (const chunk of unpack(peek.open())) size += chunk.length;
  return { size, open: (...own) => unpack(component.open(...own)) };
}

async function readComponent(
  archive: Archive,
  path: string,
  limitBytes: number,
): Promise<Uint8Array> {
  return during(`loading tar component ${JSON.stringify(path)}`, async () => {
    const component = archive.find(path);
    if (component !== undefined) return collect(component.open(), limitBytes);
    const isLayout = path === itemsFile && archive.find("index.json") !== undefined;
    const hint = isLayout ? `it is an OCI layout, write oci-archive:${archive.path}` : undefined;
    throw new Failure("corrupt", "file does not exist", { hint });
  });
}
