// Destination: writing an image into an archive of a layout.
//
// The archive grows beside the one it is going to replace, each blob going straight to its place in it.

import { dirname } from "node:path";
import type { ByteStream } from "../../../core/blob/stream.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { verified } from "../../../core/blob/verify.ts";
import type { Descriptor } from "../../../core/content/descriptor.ts";
import { type Digest, digestAlgorithm, Digester } from "../../../core/content/digest.ts";
import { isManifestType } from "../../../core/content/media-types.ts";
import { asFailure, Failure } from "../../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../../core/image/destination.ts";
import type { Referrer, Signature, SignedManifest, SmallBlob } from "../../../core/image/source.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { guessType, manifestDigest } from "../../../core/manifest/manifest.ts";
import { placeOf } from "../../shared/archive-index.ts";
import { lockDirectory } from "../../shared/directory-lock.ts";
import { type NewTarFile, TarWriter } from "../../shared/tar-writer.ts";
import { checkUnchanged, openTarOutput, type TarOutput } from "../../shared/tar-output.ts";
import { PendingAttachments, withoutSignatures } from "../attachments.ts";
import {
  encodeIndex,
  emptyIndex,
  hiddenIndexOf,
  type IndexEntry,
  type LayoutIndex,
  withHiddenIndex,
  withImage,
  withoutNamed,
} from "../index-json.ts";
import { blobsOnlyIn } from "../reachable.ts";
import { withoutReferrers } from "../referrers.ts";
import { blobFile, indexFile, LayoutArchive, markerFile } from "./layout-archive.ts";
import type { OciArchiveName } from "./name.ts";
import { type OciArchiveProbe, openProbe } from "./probe.ts";

/** Opens an archive for writing. It takes the place of one that is there, or is added to it if so wished. */
export async function openDestination(
  name: OciArchiveName,
  context: TransportContext,
): Promise<ImageDestination> {
  const probe = await openProbe(name, context);
  try {
    return new OciArchiveDestination(probe, context, await openTarOutput(name.path, context));
  } catch (error) {
    await probe[Symbol.asyncDispose]();
    throw error;
  }
}

class OciArchiveDestination implements ImageDestination {
  readonly name: OciArchiveName;
  readonly traits: DestinationTraits;
  readonly #context: TransportContext;
  readonly #probe: OciArchiveProbe;
  readonly #output: TarOutput;
  readonly #writer: TarWriter;
  readonly #held = new Map<Digest, number>();
  readonly #attachments = new PendingAttachments();
  /** Manifests about images that this run has written: what they lead to may be in the earlier archive. */
  readonly #attached = new Map<Digest, Uint8Array>();
  #begun: Promise<void> | undefined;
  readonly #manifests = new Map<Digest, Descriptor>();
  #top: Descriptor | undefined;

  constructor(probe: OciArchiveProbe, context: TransportContext, output: TarOutput) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#context = context;
    this.#probe = probe;
    this.#output = output;
    this.#writer = new TarWriter(output, context);
  }

  async reuseBlob({ digest, size, mediaType }: Descriptor): Promise<StoredBlob | undefined> {
    const held = this.#held.get(digest);
    if (held !== undefined) {
      return size === undefined || size === held ? present(digest, held) : undefined;
    }
    const found = this.#probe.findEarlier(digest);
    if (found === undefined || (size !== undefined && size !== found.size)) return undefined;
    const stored = verified({ mediaType, digest, size: found.size })(found.open());
    try {
      await this.#add({ name: blobFile(digest), size: found.size }, stored);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "corrupt") throw failure;
      this.#context.log.debug(`Not taking ${digest} from ${this.name.path}: ${failure.message}`);
      return undefined;
    }
    this.#held.set(digest, found.size);
    return present(digest, found.size);
  }

  async putBlob(blob: OutgoingBlob, _role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const held = blob.digest === undefined ? undefined : this.#held.get(blob.digest);
    if (blob.digest !== undefined && held !== undefined) return present(blob.digest, held);
    const signals = signal === undefined ? [] : [signal];
    return blob.digest === undefined
      ? this.#putOpenBlob(blob, signals)
      : this.#putKnownBlob(blob, blob.digest, signals);
  }

  async putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void> {
    const { bytes } = manifest;
    // Any type: what may not be converted is kept as it is, though a stranger may not understand it.
    const mediaType = guessType(bytes) ?? manifest.mediaType;
    const digest = manifestDigest(bytes, instance && digestAlgorithm(instance));
    if (instance !== undefined && instance !== digest) {
      throw new Failure("bug", `Manifest ${digest} was to be written as ${instance}`);
    }
    await this.#write({ digest, bytes });
    const descriptor = { mediaType, digest, size: bytes.length };
    this.#manifests.set(digest, descriptor);
    if (instance === undefined) this.#top = descriptor;
  }

  /** They are added by the commit, to those that the archive has already. */
  async putSignatures(signatures: readonly Signature[], { digest }: SignedManifest): Promise<void> {
    const manifest = this.#manifests.get(digest) ?? this.#top;
    if (manifest === undefined) throw new Failure("bug", "Signatures came before their manifest");
    this.#attachments.addSignatures({ ...manifest, digest }, signatures);
  }

  /** Likewise. */
  async putReferrers(referrers: readonly Referrer[], { digest }: SignedManifest): Promise<void> {
    this.#attachments.addReferrers(digest, referrers);
  }

  async commit(): Promise<void> {
    const image = this.#top;
    if (image === undefined) throw new Failure("bug", "An image has no manifest");
    const { wanted } = this.name;
    const name = wanted.by === "name" ? wanted.name : undefined;
    const index = encodeIndex(await this.#indexWith(image, name));
    await this.#add({ name: indexFile, size: index.length }, streamOf(index));
    await this.#writer.finish();
    await this.#complete();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#output[Symbol.asyncDispose]();
      await this.#probe[Symbol.asyncDispose]();
    } catch (error) {
      // A second error would only hide the one that led here.
      this.#context.log.warn(`Cannot clean up ${this.name.path}: ${asFailure(error).message}`);
    }
  }

  async #putKnownBlob(
    blob: OutgoingBlob,
    digest: Digest,
    signals: readonly AbortSignal[],
  ): Promise<StoredBlob> {
    const file = { name: blobFile(digest), size: blob.size };
    const size = await this.#add(file, blob.open(), ...signals);
    this.#held.set(digest, size);
    return { digest, size, by: "sending" };
  }

  async #putOpenBlob(blob: OutgoingBlob, signals: readonly AbortSignal[]): Promise<StoredBlob> {
    const digester = new Digester();
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of blob.open()) {
        digester.update(chunk);
        yield chunk;
      }
    };
    let digest: Digest | undefined;
    const name = (): string => {
      digest = digester.digest();
      // Twice in an archive is once too often.
      if (this.#held.has(digest)) throw new Failure("refused", "It is there already");
      return blobFile(digest);
    };
    try {
      const size = await this.#add({ name, size: blob.size }, hashed(), ...signals);
      if (digest === undefined) throw new Failure("bug", "A blob was written without a digest");
      this.#held.set(digest, size);
      return { digest, size, by: "sending" };
    } catch (error) {
      const held = digest === undefined ? undefined : this.#held.get(digest);
      if (digest === undefined || held === undefined) throw error;
      return present(digest, held);
    }
  }

  async #add(
    file: NewTarFile,
    bytes: ByteStream,
    ...signals: readonly AbortSignal[]
  ): Promise<number> {
    this.#begun ??= this.#begin();
    await this.#begun;
    return this.#writer.addFile(file, bytes, ...signals);
  }

  /** What every layout begins with. */
  async #begin(): Promise<void> {
    await this.#writer.addFile({ name: markerFile, size: marker.length }, streamOf(marker));
    for (const directory of directories) await this.#writer.addDirectory(directory);
  }

  async #indexWith(image: Descriptor, name: string | undefined): Promise<LayoutIndex> {
    const { earlier, appends } = this.#probe;
    const kept = appends ? earlier : undefined;
    const others = name === undefined ? kept?.index : kept && withoutNamed(kept.index, name);
    const known = kept?.index.entries.filter(({ digest }) => digest === image.digest) ?? [];
    const [hidden] = known.flatMap((each) => hiddenIndexOf(each) ?? []);
    const plain = withImage(others ?? emptyIndex, image, name);
    const named = hidden === undefined ? plain : withHiddenIndex(plain, image.digest, hidden);
    const reader = {
      hasBlob: (digest: Digest) => kept?.find(digest) !== undefined,
      openBlob: (digest: Digest) => this.#openEarlier(digest),
    };
    const left = kept === undefined ? named : await this.#withoutOrphans(kept, named);
    // Whoever loads an archive often says no name, and then it may list one image only.
    const wish = { image: image.digest, listsBundles: false };
    const put = async (blob: SmallBlob) => {
      if (isManifestType(blob.mediaType)) this.#attached.set(blob.digest, blob.bytes);
      await this.#write(blob);
    };
    const index = await this.#attachments.addTo(left, wish, { reader, put });
    if (kept !== undefined) await this.#keepEarlier(kept, index);
    return index;
  }

  /** Leaves out the signatures and bundles of an image that lost its name to the new one. */
  async #withoutOrphans(earlier: LayoutArchive, index: LayoutIndex): Promise<LayoutIndex> {
    const gone = await this.#unneededBlobs(earlier, index);
    return withoutReferrers(withoutSignatures(index, gone), gone, (digest) =>
      earlier.readManifest(digest),
    );
  }

  #openEarlier(digest: Digest): ByteStream {
    const found = this.#probe.earlier?.find(digest);
    if (found !== undefined) return found.open();
    throw new Failure("corrupt", `There is no ${blobFile(digest)} in archive ${this.name.path}`);
  }

  async #write({ digest, bytes }: Pick<SmallBlob, "digest" | "bytes">): Promise<void> {
    if (this.#held.has(digest)) return;
    await this.#add({ name: blobFile(digest), size: bytes.length }, streamOf(bytes));
    this.#held.set(digest, bytes.length);
  }

  /** Takes over what is there already, but for blobs that only images needed which `index` has no more. */
  async #keepEarlier(earlier: LayoutArchive, index: LayoutIndex): Promise<void> {
    const unneeded = await this.#unneededBlobs(earlier, index);
    const replaced = new Set([
      indexFile,
      markerFile,
      ...directories,
      ...[...this.#held.keys(), ...unneeded].map(blobFile),
    ]);
    for (const entry of earlier.archive.entries) {
      const key = placeOf(entry);
      if (key === undefined || replaced.has(key)) continue;
      if (key === "manifest.json") {
        this.#context.log.warn(`manifest.json in ${this.name.path} does not list the new image`);
      }
      await this.#writer.addRaw(earlier.archive.raw(entry));
    }
  }

  /** Returns the blobs of an image that lost its name to the new one. */
  async #unneededBlobs(earlier: LayoutArchive, index: LayoutIndex): Promise<readonly Digest[]> {
    const stays = (entry: IndexEntry) =>
      index.entries.some(
        (each) => each.digest === entry.digest && hiddenIndexOf(each) === hiddenIndexOf(entry),
      );
    if (earlier.index.entries.every(stays)) return [];
    try {
      return await blobsOnlyIn(
        earlier.index,
        index,
        async (digest) => this.#attached.get(digest) ?? earlier.readManifest(digest),
      );
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "unsupported" && failure.code !== "corrupt") throw failure;
      this.#context.log.debug(`Keeping all blobs of ${this.name.path}: ${failure.message}`);
      return [];
    }
  }

  async #complete(): Promise<void> {
    const { target, appends } = this.#probe;
    const output = this.#output;
    if (target === undefined || !appends) return output.complete();
    await using _ = await lockDirectory(dirname(target.path), "exclusive", this.#context);
    checkUnchanged(target);
    await output.complete();
  }
}

const marker = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');

const directories = ["blobs", "blobs/sha256"];

function present(digest: Digest, size: number): StoredBlob {
  return { digest, size, by: "presence" };
}
