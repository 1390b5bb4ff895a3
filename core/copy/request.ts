// CopyRequest and CopyOutcome: what is asked of a copy, and what it has done.

import type { BlobInfo } from "../cache/blob-info.ts";
import type { Digest } from "../content/digest.ts";
import type { DockerName } from "../content/docker-name.ts";
import type { ManifestType } from "../content/media-types.ts";
import type { PlatformWish } from "../content/platform.ts";
import type { RawManifest } from "../image/source.ts";
import type { ImageReference, TransportContext } from "../image/transport.ts";
import type { Gate } from "../trust/gate.ts";
import type { CompressionWish } from "./compression-wish.ts";
import type { Signer } from "../trust/signer.ts";
import type { BlobSharing } from "./blob-sharing.ts";
import type { Tell } from "./events.ts";
import type { CryptWish } from "./layer-crypt.ts";
import type { ImageSelection } from "./select.ts";

/** One end of a copy. */
export interface CopySide {
  readonly reference: ImageReference;
  readonly context: TransportContext;
}

/** Who signs, and as what. */
export interface Signing {
  /** In this order; never empty. */
  readonly signers: readonly Signer[];
  /** What the signatures call the image; absent: what the destination calls it. */
  readonly identity?: DockerName;
}

/** What is to be copied, and how. */
export interface CopyRequest {
  readonly source: CopySide;
  readonly destination: CopySide;
  readonly gate: Gate;
  /** Chooses one image of a list. */
  readonly platform: PlatformWish;
  readonly images: ImageSelection;
  /** The manifest type to write; absent: the source's, with fallbacks. */
  readonly format?: ManifestType;
  /** How layers shall be compressed; absent: as they are, and with gzip where they have to be. */
  readonly compression?: CompressionWish;
  /** What shall become of the encryption of layers; absent: it stays. */
  readonly crypt?: CryptWish;
  /** Whether no digest may change. */
  readonly preserveDigests: boolean;
  /** Which signatures travel: all, none, or none of the list's own. */
  readonly signatures: "copy" | "remove" | "remove-from-list";
  /** Who signs what is written; absent: nobody. */
  readonly signing?: Signing;
  /** Blobs moved at a time, where both sides allow several. */
  readonly parallelBlobs: number;
  readonly tell: Tell;
  /** Learns what is seen of blobs; absent: nobody does. */
  readonly blobInfo?: BlobInfo;
  /**
   * Tells whether the destination holds a manifest already: under its name or, with `instance`, beside it.
   * What it holds is not moved. Absent: nobody looks.
   */
  readonly isPresent?: (digest: Digest, instance: boolean) => Promise<boolean>;
  /**
   * Stands for all that decides what an image becomes, but for the image itself. An image that is written as
   * something else than it was is noted to have been made by it, where the destination notes such things.
   */
  readonly recipe?: string;
  /** Lets copies that go on at the same time share what they move; absent: there are no others. */
  readonly sharing?: BlobSharing;
  /** Tells the time that stands in a signature of schema 1. */
  readonly now: () => Date;
}

/** What a copy has written. */
export interface CopyOutcome {
  /** The manifest, or list, that the destination's name leads to now. */
  readonly manifest: RawManifest;
  readonly digest: Digest;
}
