// ImageSource: the reading contract.

import type { ByteStream } from "../blob/stream.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import type { ImageName } from "./name.ts";

/** A manifest as stored. Its bytes are never re-encoded on the way. */
export interface RawManifest {
  readonly bytes: Uint8Array;
  /** As the transport reports it; empty where it knows none. */
  readonly mediaType: string;
}

/** A signature as stored: opaque bytes in the signature blob format. */
export type Signature = Uint8Array;

/** Whose signatures are meant: those of one manifest. */
export interface SignedManifest {
  /** Of the very bytes that are judged, or that were written. */
  readonly digest: Digest;
  /** Which image of the list it is, by the digest that the list has for it; absent: the top level. */
  readonly instance?: Digest;
}

/**
 * Something that is kept about an image as a manifest of its own, such as a bundle: all of it, in memory. Each
 * part is what its digest promises.
 */
export interface Referrer {
  /** Says by its `subject` which image it is about. */
  readonly manifest: SmallBlob;
  readonly artifactType: string;
  /** What the manifest consists of. */
  readonly blobs: readonly SmallBlob[];
}

/** Content that is held whole, and the digest it goes by. */
export interface SmallBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** How a blob is to be read. */
export interface BlobReading {
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  /** Set after bytes turned out wrong: caches on the way are to be bypassed. */
  readonly fresh?: boolean;
}

/** The first bytes of a blob, left by a run that did not come to its end. Nobody has verified them. */
export interface HeldStart {
  /** In bytes; more than none, and less than all. */
  readonly size: number;
  open(): ByteStream;
}

/** The layers of an image as they are kept, where the manifest lists them otherwise. */
export interface KeptLayers {
  /** What the store itself calls the image. */
  readonly image: string;
  /** Uncompressed, base first, and only those that have content. */
  readonly layers: readonly Pick<Descriptor, "digest" | "size">[];
}

/**
 * Reads the parts of one image, or of one list of images, from where they are kept.
 *
 * A source reports what it finds: it checks no digest and asks no policy. Core does both, once, for
 * all transports. `instance` picks one image out of a list; without it, the top level is meant.
 */
export interface ImageSource extends AsyncDisposable {
  readonly name: ImageName;
  /** Whether several blobs may be read at a time. */
  readonly concurrent: boolean;
  /**
   * Whether nobody but who receives a chunk of a blob looks at its memory, so that it may be given back;
   * absent: no.
   */
  readonly givesMemory?: boolean;
  /** Whether blobs lie on this machine, so that reading one again costs next to nothing; absent: no. */
  readonly nearby?: boolean;

  /** Returns the manifest as stored. Fails with `not-found` if there is none. */
  readManifest(instance?: Digest): Promise<RawManifest>;

  /**
   * Returns all signatures kept for a manifest, in no particular order. A name that leads somewhere else
   * by now is none the wiser: what counts is the digest.
   */
  readSignatures(of: SignedManifest): Promise<readonly Signature[]>;

  /**
   * Returns the manifests that say that they are about the one with this digest, and that they are of this
   * artifact type; perhaps some others, too. Each is what its digest promised. Absent where manifests
   * cannot be found by what they are about.
   */
  readReferrers?(digest: Digest, artifactType: string): Promise<readonly RawManifest[]>;

  /**
   * Tells whether bundles about an image are to be looked for, so that they travel with it, where no policy asks
   * for them. Absent: they are not.
   */
  offersBundles?(): Promise<boolean>;

  /**
   * Opens a blob. The bytes come as stored, neither decompressed nor checked.
   *
   * May be called again for the same blob after its stream has failed.
   */
  openBlob(blob: Descriptor, reading?: BlobReading): Promise<ByteStream>;

  /** Opens a blob behind its first `skipped` bytes. Absent where that saves nothing. */
  openRest?(blob: Descriptor, skipped: number, reading?: BlobReading): Promise<ByteStream>;

  /**
   * Returns the layers as `openBlob` gives them, for the image whose manifest has this digest. Absent
   * where blobs are kept as manifests list them.
   */
  readLayers?(manifest: Digest): Promise<KeptLayers>;
}
