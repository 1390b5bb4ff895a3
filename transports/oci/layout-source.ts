// Layout source: reading an image from a layout, wherever its files are.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type {
  BlobReading,
  ImageSource,
  RawManifest,
  Signature,
  SignedManifest,
} from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { guessType } from "../../core/manifest/manifest.ts";
import { readAttachments } from "./attachments.ts";
import { withHiddenEntries } from "./hidden-index.ts";
import { type LayoutIndex, selectImage } from "./index-json.ts";
import { readReferrers } from "./referrers.ts";
import type { WantedEntry } from "./name.ts";
import { withSavedEntries } from "./saved.ts";

/** The files of a layout that is open for reading. Disposing closes it. */
export interface LayoutFiles extends AsyncDisposable {
  readonly index: LayoutIndex;
  /** Returns all of a manifest. Fails with `io` or `corrupt`. */
  readManifest(digest: Digest): Promise<Uint8Array>;
  /** Returns the digests of blobs, of SHA-256, that have no more than so many bytes. */
  smallBlobs(limitBytes: number): readonly Digest[];
  /** Tells whether a blob is there. */
  hasBlob(digest: Digest): boolean;
  /** Streams a blob; several may be read at a time. */
  openBlob(digest: Digest, ...signals: readonly AbortSignal[]): ByteStream;
  /** Returns where a blob is kept, for people. */
  placeOf(digest: Digest): string;
}

/** Reads one image, or one list, of a layout. */
export class LayoutSource implements ImageSource {
  readonly name: ImageName;
  readonly concurrent = true;
  readonly givesMemory = true;
  readonly nearby = true;
  readonly #files: LayoutFiles;
  readonly #digest: Digest;

  /** Takes the files over. Fails with `not-found` if there is no image of the name. */
  constructor(name: ImageName, files: LayoutFiles, wanted: WantedEntry) {
    this.name = name;
    this.#files = files;
    this.#digest = selectImage(files.index, wanted).digest;
  }

  async readManifest(instance?: Digest): Promise<RawManifest> {
    const digest = instance ?? this.#digest;
    const bytes = await this.#files.readManifest(digest);
    const { entries } = this.#files.index;
    const listed = entries.find((entry) => entry.digest === digest)?.mediaType ?? "";
    return { bytes, mediaType: listed === "" ? (guessType(bytes) ?? "") : listed };
  }

  async readSignatures({ digest }: SignedManifest): Promise<readonly Signature[]> {
    return readAttachments(await this.#indexFor(digest), digest, this.#files);
  }

  async readReferrers(digest: Digest, artifactType: string): Promise<readonly RawManifest[]> {
    const index = await withSavedEntries(await this.#indexFor(digest), digest, this.#files);
    return readReferrers(index, { digest, artifactType }, this.#files);
  }

  /** With what is hidden behind a manifest, or behind the list that it is in. */
  #indexFor(digest: Digest): Promise<LayoutIndex> {
    return withHiddenEntries(this.#files.index, [digest, this.#digest], this.#files);
  }

  /** They lie here: looking for them asks nobody. */
  async offersBundles(): Promise<boolean> {
    return true;
  }

  async openBlob(blob: Descriptor, reading: BlobReading = {}): Promise<ByteStream> {
    const { digest, urls = [] } = blob;
    const [url] = urls;
    if (url !== undefined && !this.#files.hasBlob(digest)) {
      throw foreign(digest, this.#files.placeOf(digest), url);
    }
    const signals = reading.signal === undefined ? [] : [reading.signal];
    return this.#files.openBlob(digest, ...signals);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }
}

/** Addresses in an image are the author's choice, and nobody asked us to go there. */
function foreign(digest: Digest, place: string, url: string): Failure {
  const where = JSON.stringify(url.slice(0, limits.shownCharacters));
  return new Failure("unsupported", `open ${place}: no such file or directory`, {
    hint: `blob ${digest} is a foreign layer kept at ${where}, which is not fetched`,
  });
}
