// Source: reading an image from a store.
//
// Nothing is locked while a layer is read: its bytes are checked on their way, so a layer that somebody
// takes away meanwhile breaks off, and nothing else comes of it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { decompressed } from "../../core/blob/decompress.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type {
  BlobReading,
  ImageSource,
  KeptLayers,
  RawManifest,
  Signature,
  SignedManifest,
} from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType, manifestDigest } from "../../core/manifest/manifest.ts";
import { emptyLayer } from "../../core/manifest/to-schema1.ts";
import { fileStream, readSmallFile } from "../shared/file-stream.ts";
import { rebuiltLayer } from "../shared/rebuilt-layer.ts";
import { chooseStore, type ChosenStore } from "./choose-store.ts";
import { findImages, resolveStart } from "./find-image.ts";
import { signaturesOf } from "./metadata.ts";
import { resolvedName, type StorageName } from "./name.ts";
import { composefs } from "./options.ts";
import {
  chainOf,
  type KeptImage,
  type KeptLayer,
  placesOf,
  readImages,
  readLayers,
} from "./read-store.ts";

/** Opens an image of a store for reading. Fails with `not-found` if there is none. */
export async function openSource(
  name: StorageName,
  context: TransportContext,
): Promise<ImageSource> {
  const store = await chooseStore(name.store, context);
  const images = await readImages(store, context);
  const wanted = resolveStart(name, images);
  const found = findImages(wanted, images, name);
  return new StorageSource(resolvedName(name, store, wanted), { store, found, context });
}

/** What an open source reads from. */
interface OpenImage {
  readonly store: ChosenStore;
  /** One or, where a list was named, those that were chosen from it. */
  readonly found: readonly [KeptImage, ...KeptImage[]];
  readonly context: TransportContext;
}

class StorageSource implements ImageSource {
  readonly name: StorageName;
  readonly concurrent = true;
  readonly nearby = true;
  readonly #open: OpenImage;
  #layers: Promise<ReadonlyMap<string, KeptLayer>> | undefined;

  constructor(name: StorageName, open: OpenImage) {
    this.name = name;
    this.#open = open;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const { found } = this.#open;
    const wanted = instance ?? this.name.wanted.docker?.digest;
    const exact = wanted && found.find((image) => hasItem(image, manifestKey(wanted)));
    if (instance !== undefined && exact === undefined) {
      const [{ record }] = found;
      throw new Failure(
        "not-found",
        `reading manifest for image instance ${JSON.stringify(instance)}: image ${record.id} has none`,
      );
    }
    const bytes =
      exact === undefined || wanted === undefined
        ? await readItem(found[0], "manifest", limits.manifestBytes)
        : await readItem(exact, manifestKey(wanted), limits.manifestBytes);
    return { bytes, mediaType: guessType(bytes) ?? "" };
  }

  async readSignatures({ digest }: SignedManifest): Promise<readonly Signature[]> {
    const image = await this.#imageOf(digest);
    const own = await readSignaturesAt(image, `signature-${digestHex(digest)}`, digest);
    if (own.length > 0 || (await digestOfImage(image, digest)) !== digest) return own;
    // What engines of old kept by no digest.
    return readSignaturesAt(image, "signatures");
  }

  async readLayers(manifest: Digest): Promise<KeptLayers> {
    const { record } = await this.#imageOf(manifest);
    const chain = chainOf(record.layer, await this.#allLayers());
    return {
      image: record.id,
      layers: chain.map(({ record: layer }) => {
        const digest = layer.diffDigest ?? layer.expectedDiffDigest;
        if (digest === undefined) {
          throw new Failure("corrupt", `layer ${layer.id}: the store does not know its digest`);
        }
        return { digest, ...(layer.diffSize !== undefined && { size: layer.diffSize }) };
      }),
    };
  }

  async openBlob({ digest }: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const { found, context } = this.#open;
    for (const image of found) {
      const layer = await this.#layerOf(image, digest);
      if (layer !== undefined) return this.#layerStream(layer, reading);
    }
    const image = found.find((each) => hasItem(each, digest));
    if (image !== undefined) {
      const signals = reading.signal === undefined ? [] : [reading.signal];
      return fileStream(
        image.place.bigDataPath(image.record.id, digest),
        context.signal,
        ...signals,
      );
    }
    if (digest === emptyLayer.descriptor.digest) return streamOf(emptyLayer.bytes);
    const [{ place, record }] = found;
    throw new Failure(
      "io",
      `open ${place.bigDataPath(record.id, digest)}: no such file or directory`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Returns the layer of an image whose content has a digest. */
  async #layerOf({ record }: KeptImage, digest: Digest): Promise<KeptLayer | undefined> {
    return chainOf(record.layer, await this.#allLayers()).find(
      ({ record: layer }) => (layer.diffDigest ?? layer.expectedDiffDigest) === digest,
    );
  }

  #layerStream({ place, record: { id } }: KeptLayer, { signal }: BlobReading): ByteStream {
    // Where images are kept apart from containers, engines keep these with the containers.
    const own = place.tarSplitPath(id);
    const path = [place, ...placesOf(this.#open.store)]
      .map((each) => each.tarSplitPath(id))
      .find(existsSync);
    if (existsSync(join(place.layerDirectory(id), "composefs-data"))) throw composefs();
    if (path === undefined) {
      throw new Failure(
        "unsupported",
        `Layer ${id} was not made from an archive: ${own} is missing`,
        {
          hint: "podman can make one: podman push IMAGE oci:DIRECTORY:TAG",
        },
      );
    }
    const signals = [this.#open.context.signal, ...(signal === undefined ? [] : [signal])];
    return rebuiltLayer(
      {
        tarSplit: decompressed("gzip", "Tar-split")(fileStream(path, ...signals)),
        directories: [place.filesDirectory(id)],
      },
      AbortSignal.any(signals),
    );
  }

  /** Returns the image whose manifest has a digest, of those that were found. */
  async #imageOf(manifest: Digest): Promise<KeptImage> {
    const { found } = this.#open;
    for (const image of found) {
      if ((await digestOfImage(image, manifest)) === manifest) return image;
    }
    return found.find((image) => hasItem(image, manifestKey(manifest))) ?? found[0];
  }

  #allLayers(): Promise<ReadonlyMap<string, KeptLayer>> {
    const { store, context } = this.#open;
    this.#layers ??= readLayers(store, context);
    return this.#layers;
  }
}

function manifestKey(digest: Digest): string {
  return `manifest-${digest}`;
}

/** Returns the digest of an image's own manifest, of the algorithm of another one. */
async function digestOfImage(image: KeptImage, like: Digest): Promise<Digest> {
  const bytes = await readItem(image, "manifest", limits.manifestBytes);
  return manifestDigest(bytes, digestAlgorithm(like));
}

async function readSignaturesAt(
  image: KeptImage,
  key: string,
  manifest?: Digest,
): Promise<readonly Signature[]> {
  if (!hasItem(image, key)) return [];
  const bytes = await readItem(image, key, limits.signaturesBytes);
  return signaturesOf(image.record, bytes, manifest);
}

function hasItem({ record }: KeptImage, key: string): boolean {
  return record.bigDataNames.includes(key);
}

function readItem({ place, record }: KeptImage, key: string, limit: number): Promise<Uint8Array> {
  return readSmallFile(place.bigDataPath(record.id, key), limit);
}
