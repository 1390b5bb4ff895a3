// Imported image: an OCI image made of file systems that were none before.

import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";
import { configTypes, manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { BlobReading, ImageSource, RawManifest, Signature } from "../../core/image/source.ts";
import { encodeJsonBytes } from "../../core/json.ts";
import { writeOciManifest } from "../../core/manifest/oci.ts";

/** One layer of an imported image. */
export interface ImportedLayer {
  readonly descriptor: Descriptor;
  /** The digest before compression. */
  readonly diffId: Digest;
  /** As configs write it. */
  readonly created: string;
  readonly comment: string;
  /** Opens the layer as it is stored; gives the same bytes each time. */
  open(...signals: readonly AbortSignal[]): ByteStream;
}

/** What becomes an image. */
export interface ImportedImage {
  readonly created: string;
  readonly os: string;
  readonly architecture: string;
  /** Base first. */
  readonly layers: readonly ImportedLayer[];
  /** What the image runs; absent where nobody knows. */
  readonly command?: readonly string[];
  /** What the history says was done after the layers. */
  readonly epilogue?: readonly string[];
}

/** Gives an imported image as a source. The same image gives the same bytes, which are the original's. */
export class ImportedSource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent = true;
  readonly nearby = true;
  readonly #manifest: Uint8Array;
  readonly #blobs: ReadonlyMap<Digest, ImportedLayer["open"]>;
  readonly #kept: AsyncDisposable;

  /** `kept` is disposed of with the source. */
  constructor(name: ImageName, image: ImportedImage, kept: AsyncDisposable) {
    const config = configOf(image);
    const digest = digestOf(config);
    this.name = name;
    this.#kept = kept;
    this.#manifest = writeOciManifest({
      schemaVersion: 2,
      mediaType: manifestTypes.oci,
      config: { mediaType: configTypes.oci, digest, size: config.length },
      layers: image.layers.map(({ descriptor }) => descriptor),
    });
    this.#blobs = new Map([
      [digest, () => streamOf(config.slice())],
      ...image.layers.map(({ descriptor, open }): [Digest, ImportedLayer["open"]] => [
        descriptor.digest,
        open,
      ]),
    ]);
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    if (instance !== undefined) throw new Failure("bug", `There is no list in ${this.name.text}`);
    return { bytes: this.#manifest.slice(), mediaType: manifestTypes.oci };
  }

  async readSignatures(): Promise<readonly Signature[]> {
    return [];
  }

  async openBlob(blob: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const open = this.#blobs.get(blob.digest);
    if (open === undefined) throw new Failure("io", `There is no blob ${blob.digest} in the image`);
    return reading.signal === undefined ? open() : open(reading.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kept[Symbol.asyncDispose]();
  }
}

function configOf(image: ImportedImage): Uint8Array {
  const { created, architecture, os, layers, command, epilogue = [] } = image;
  return encodeJsonBytes({
    created,
    architecture,
    os,
    config: { Cmd: command },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: [
      ...layers.map((layer) => ({
        created: layer.created,
        created_by: `/bin/sh -c #(nop) ADD file:${digestHex(layer.diffId)} in /`,
        comment: layer.comment,
      })),
      ...epilogue.map((done) => ({ created, created_by: done, empty_layer: true })),
    ],
  });
}
