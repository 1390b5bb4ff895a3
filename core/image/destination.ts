// ImageDestination and its traits: the writing contract.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import type { Compression, LayerForm } from "../content/media-types.ts";
import type { SignatureForm } from "../content/signature-blob.ts";
import type { OutgoingBlob, OutgoingManifest } from "../trust/gate.ts";
import type { ImageName } from "./name.ts";
import type { HeldStart, Referrer, Signature, SignedManifest } from "./source.ts";

// Transports see of trust only these two.
export type { OutgoingBlob, OutgoingManifest } from "../trust/gate.ts";

/** What a destination wants and can take. Plain data, so that planning needs no I/O. */
export interface DestinationTraits {
  /** Manifest media types it accepts, best first; empty if it accepts any. */
  readonly manifestTypes: readonly string[];
  /** Why it never takes any other; absent where it may, or will say so when it is asked. */
  readonly refusesOtherTypes?: string;
  readonly layers: "compress" | "decompress" | "preserve";
  /** Whether foreign layers may stay URLs, rather than be uploaded. */
  readonly keepsForeignUrls: boolean;
  /** Whether it can hold a list together with its images. */
  readonly holdsLists: boolean;
  /** Why it cannot hold signatures; absent where it can. */
  readonly refusesSignatures?: string;
  /** Why it cannot hold those of some form, where it can hold others. */
  readonly refusedForms?: Readonly<Partial<Record<SignatureForm, string>>>;
  /** Whether bundles about its images are kept beside them; absent: no, and they stay where they are. */
  readonly holdsBundles?: boolean;
  /** Why it cannot hold encrypted layers, where it is not for its manifests; absent where it can. */
  readonly refusesEncryption?: string;
  /** Whether several blobs may be written at a time. */
  readonly concurrent: boolean;
  /** Whether it does not matter which image a schema 1 manifest says it is; it does if absent. */
  readonly ignoresEmbeddedNames?: boolean;
}

/** What a blob is to the image. */
export type BlobRole = "layer" | "config";

/** Which other bytes would do instead of a layer's: those of the same content, compressed otherwise. */
export interface StandIns {
  /** The forms that the manifest can tell of, and that are wanted. */
  readonly forms: readonly LayerForm[];
  /** Returns the digest of the content by the image's config, where that tells. */
  readonly content: () => Promise<Digest | undefined>;
}

/** What a destination holds now. */
export interface StoredBlob {
  readonly digest: Digest;
  /** How it is compressed, if it stands in for the blob that was wanted. */
  readonly compression?: Compression;
  /** What a manifest has to say of such a one, if anything. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** In bytes. */
  readonly size: number;
  /** How it got there: its bytes were sent, they were there, or taken from a neighbour. */
  readonly by: "sending" | "presence" | "mounting";
}

/**
 * Asks a destination, before anything is written to it, what it wants and what it has.
 *
 * It changes nothing there: it makes no file, no directory, no lock and no upload, and leaves none behind. A
 * destination that would refuse to be opened refuses this in the same words.
 */
export interface DestinationProbe extends AsyncDisposable {
  readonly name: ImageName;
  readonly traits: DestinationTraits;

  /** Returns what `ImageDestination.reuseBlob` would, as far as that can be told without doing it. */
  findBlob(
    wanted: Descriptor,
    role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined>;

  /** Likewise, for `reuseStandIn`. */
  findStandIn?(wanted: Descriptor, standIns: StandIns): Promise<StoredBlob | undefined>;
}

/**
 * Writes one image, or one list of images, to where it is to be kept.
 *
 * The order is fixed: blobs, the manifest that names them, signatures over that manifest, `commit`.
 * Disposing without `commit` gives the image up: unreferenced content may remain, a name never, but in
 * a registry: there an image has its name as soon as its top-level manifest is put.
 */
export interface ImageDestination extends AsyncDisposable {
  readonly name: ImageName;
  readonly traits: DestinationTraits;
  /** Whether it takes blobs without reading them, because nothing is written. Absent: no. */
  readonly rehearses?: boolean;

  /**
   * Makes `wanted` part of the image without sending it, if the destination can get at it. If `standIns`
   * are given, one of those will do.
   */
  reuseBlob(
    wanted: Descriptor,
    role: BlobRole,
    standIns?: StandIns,
  ): Promise<StoredBlob | undefined>;

  /**
   * Makes one of `standIns` part of the image, where the blob itself would not do. Absent where nothing is
   * known of blobs but their digests.
   */
  reuseStandIn?(wanted: Descriptor, standIns: StandIns): Promise<StoredBlob | undefined>;

  /**
   * Returns what an earlier run, which did not come to its end, has left of a blob's start. Absent where
   * nothing is left by such runs.
   */
  heldStart?(blob: Descriptor): HeldStart | undefined;

  /**
   * Writes a blob. Where its digest is open, the destination computes it from what it writes.
   *
   * A stream whose content is wrong ends with an error. So nothing is published under the blob's
   * digest before the stream has ended, and after an error what was written is removed. `signal`
   * ends the writing. May be called again for a blob that failed.
   */
  putBlob(blob: OutgoingBlob, role: BlobRole, signal?: AbortSignal): Promise<StoredBlob>;

  /**
   * Writes a manifest: of the image `instance` of a list or, without it, of the top level.
   *
   * Fails with `unsupported` if a manifest of this type is not taken, so that another type may be
   * tried, and names `missingBlobs` if it is refused because blobs are missing.
   */
  putManifest(manifest: OutgoingManifest, instance?: Digest): Promise<void>;

  /**
   * Keeps the list that the image was chosen from beside it, so that the list's digest leads to the image,
   * too. Absent where that does not.
   */
  putOrigin?(list: OutgoingManifest): Promise<void>;

  /**
   * Notes beside the image's name what the image was made of, to be found by a glance as long as the name
   * leads to it. Absent where nothing is kept but images.
   */
  noteMaking?(making: string): void;

  /** Writes the signatures of a manifest that was put: these, and no others. */
  putSignatures(signatures: readonly Signature[], of: SignedManifest): Promise<void>;

  /**
   * Adds what is about a manifest that was put to whatever else is kept about it. Absent where nothing is,
   * and not called unless `holdsBundles` is set.
   */
  putReferrers?(referrers: readonly Referrer[], of: SignedManifest): Promise<void>;

  /** Makes the image visible under its name. */
  commit(): Promise<void>;
}
