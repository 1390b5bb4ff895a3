// Destination: writing an image into an OCI layout.
//
// Everything but the index is named for its content, so it may stand there before it is needed. Whoever
// writes holds a shared lock on the blobs. Only who has them alone may take some away.

import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { mapLimited } from "../../core/concurrency.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestAlgorithm } from "../../core/content/digest.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type {
  BlobRole,
  DestinationTraits,
  ImageDestination,
  OutgoingBlob,
  OutgoingManifest,
  StoredBlob,
} from "../../core/image/destination.ts";
import type {
  HeldStart,
  Referrer,
  Signature,
  SignedManifest,
  SmallBlob,
} from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { guessType, manifestDigest } from "../../core/manifest/manifest.ts";
import { heldStartIn, writeBlobFile } from "../shared/blob-file.ts";
import { lockDirectory, tryLockDirectory } from "../shared/directory-lock.ts";
import { fileStream } from "../shared/file-stream.ts";
import { NewFile, replaceFile, syncDirectory } from "../shared/new-file.ts";
import { makeDirectories, removeEmptyDirectories } from "../shared/temporary.ts";
import { PendingAttachments } from "./attachments.ts";
import { withImage, withMaking } from "./index-json.ts";
import type { Layout } from "./layout.ts";
import type { BlobReader } from "./layout-blobs.ts";
import type { OciName } from "./name.ts";
import { type OciProbe, openProbe } from "./probe.ts";

/** Opens a layout for writing, and begins one where there is none. */
export async function openDestination(
  name: OciName,
  context: TransportContext,
): Promise<ImageDestination> {
  const probe = await openProbe(name, context);
  return new OciDestination(probe, context, await enter(probe.layout, context));
}

/** A layout that is being written to. */
interface EnteredLayout {
  readonly layout: Layout;
  /** Directories that had to be made for it, deepest first. */
  readonly made: readonly string[];
  /** Keeps others from taking blobs away. */
  readonly presence: AsyncDisposable;
}

async function enter(layout: Layout, context: TransportContext): Promise<EnteredLayout> {
  const made = [...makeDirectories(layout.ownBlobs), ...makeDirectories(layout.blobRoot)];
  try {
    return { layout, made, presence: await lockDirectory(layout.blobRoot, "shared", context) };
  } catch (error) {
    removeEmptyDirectories(made);
    // A run that failed has just taken away the directories that it had made.
    if (made.length === 0 && !existsSync(layout.blobRoot)) return enter(layout, context);
    throw error;
  }
}

class OciDestination implements ImageDestination {
  readonly name: OciName;
  readonly traits: DestinationTraits;
  readonly #probe: OciProbe;
  readonly #context: TransportContext;
  readonly #layout: Layout;
  readonly #presence: AsyncDisposable;
  readonly #made: string[];
  readonly #written = new Set<Digest>();
  readonly #reused = new Set<Digest>();
  readonly #attachments = new PendingAttachments();
  readonly #reader: BlobReader;
  readonly #manifests = new Map<Digest, Descriptor>();
  #top: Descriptor | undefined;
  #making: string | undefined;
  /** Whether this run said that the directory is a layout. */
  #marked = false;
  #committed = false;

  constructor(probe: OciProbe, context: TransportContext, entered: EnteredLayout) {
    this.name = probe.name;
    this.traits = probe.traits;
    this.#probe = probe;
    this.#context = context;
    this.#layout = entered.layout;
    this.#presence = entered.presence;
    this.#reader = {
      hasBlob: (digest) => existsSync(this.#layout.blobPath(digest)),
      openBlob: (digest) => fileStream(this.#layout.blobPath(digest), context.signal),
    };
    this.#made = [...entered.made];
  }

  async reuseBlob(wanted: Descriptor): Promise<StoredBlob | undefined> {
    const found = await this.#probe.findBlob(wanted);
    if (found !== undefined) this.#reused.add(found.digest);
    return found;
  }

  heldStart(blob: Descriptor): HeldStart | undefined {
    if (this.#context.settings.oci.keepsParts !== true) return undefined;
    return heldStartIn([this.#layout.blobRoot], blob);
  }

  async putBlob(blob: OutgoingBlob, _role: BlobRole, signal?: AbortSignal): Promise<StoredBlob> {
    const place = {
      workshop: this.#layout.blobRoot,
      pathOf: (digest: Digest) => this.#pathFor(digest),
      keepsParts: this.#context.settings.oci.keepsParts === true,
    };
    const signals = signal === undefined ? [] : [signal];
    const stored = await writeBlobFile(blob, place, this.#context.signal, ...signals);
    this.#written.add(stored.digest);
    return stored;
  }

  async putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void> {
    const { bytes } = manifest;
    // Any type: what may not be converted is kept as it is, though a stranger may not understand it.
    const mediaType = guessType(bytes) ?? manifest.mediaType;
    // Signed schema 1 goes by what was signed, here as everywhere, or no list would lead to it.
    const digest = manifestDigest(bytes, instance && digestAlgorithm(instance));
    if (instance !== undefined && instance !== digest) {
      throw new Failure("bug", `Manifest ${digest} was to be written as ${instance}`);
    }
    await this.#write({ digest, bytes });
    const descriptor = { mediaType, digest, size: bytes.length };
    this.#manifests.set(digest, descriptor);
    if (instance === undefined) this.#top = descriptor;
  }

  noteMaking(making: string): void {
    this.#making = making;
  }

  /** They are added by the commit, to those that the layout has by then. */
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
    const digests = [...this.#written, ...this.#reused];
    for (const digest of digests) this.#checkPresent(digest);
    const directories = new Set(digests.map((digest) => this.#layout.blobDirectory(digest)));
    const syncing = [...directories, this.#layout.blobRoot].map(
      (path) => () => syncDirectory(path),
    );
    // All before the index, and in no order of their own: each waits for the disk.
    await mapLimited([...syncing, () => this.#mark()], Infinity, (work) => work());
    await this.#layout.changeIndex(async (index) => {
      const name = wanted.by === "name" ? wanted.name : undefined;
      const named = withImage(index, image, name);
      const noted =
        name === undefined || this.#making === undefined
          ? named
          : withMaking(named, name, this.#making);
      const wish = { image: image.digest, listsBundles: true };
      const put = (blob: SmallBlob) => this.#write(blob);
      return this.#attachments.addTo(noted, wish, { reader: this.#reader, put });
    });
    this.#committed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#presence[Symbol.asyncDispose]();
      const keeps = this.#context.settings.oci.keepsParts === true;
      if (!this.#committed && !keeps) await this.#withdraw();
    } catch (error) {
      // A second error would only hide the one that led here.
      this.#context.log.warn(`Cannot clean up ${this.#layout.path}: ${asFailure(error).message}`);
    }
  }

  async #write({ digest, bytes }: Pick<SmallBlob, "digest" | "bytes">): Promise<void> {
    await using file = NewFile.create(this.#layout.blobRoot, this.#pathFor(digest));
    await file.write(bytes);
    await file.complete();
    file.publish(this.#pathFor(digest));
    this.#written.add(digest);
  }

  /** Says that the directory is a layout, unless it says so already. */
  async #mark(): Promise<void> {
    if (existsSync(this.#layout.markerPath)) return;
    await replaceFile(this.#layout.markerPath, marker);
    this.#marked = true;
  }

  /** Returns where a blob belongs, in a directory that is there. */
  #pathFor(digest: Digest): string {
    const directory = this.#layout.blobDirectory(digest);
    if (!existsSync(directory)) this.#made.unshift(...makeDirectories(directory));
    return this.#layout.blobPath(digest);
  }

  /** Programs that ask nobody may clean up at any time. */
  #checkPresent(digest: Digest): void {
    const path = this.#layout.blobPath(digest);
    if (existsSync(path)) return;
    throw new Failure("io", `${path} was removed by somebody else while the image was written`, {
      hint: "try again",
    });
  }

  /** Takes back a layout that this run began, unless others have come to rely on it. */
  async #withdraw(): Promise<void> {
    const { ownBlobs, blobRoot, indexPath, markerPath } = this.#layout;
    if (this.#made.includes(resolve(ownBlobs)) && ownBlobs === blobRoot) {
      const claim = await tryLockDirectory(ownBlobs);
      if (typeof claim === "string") return;
      await using _ = claim;
      if (existsSync(indexPath)) return;
      for (const digest of this.#written) rmSync(this.#layout.blobPath(digest), { force: true });
      if (this.#marked) rmSync(markerPath, { force: true });
    }
    removeEmptyDirectories(this.#made);
  }
}

const marker = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');
