// Transport, ImageReference, TransportContext: how core meets the places where images are kept.

import type { BlobInfo } from "../cache/blob-info.ts";
import type { Digest } from "../content/digest.ts";
import type { StallTimes } from "../http-stall.ts";
import type { Patience, Retry } from "../retry.ts";
import type { Deletion } from "./deletion.ts";
import type { DaemonConnection } from "./daemon-connection.ts";
import type { DestinationProbe, ImageDestination } from "./destination.ts";
import type { ImageName } from "./name.ts";
import type { RegistryAccess } from "./registry-access.ts";
import type { ImageSource } from "./source.ts";
import type { StorageSettings } from "./storage-settings.ts";

/** What a transport may tell while it works. */
export interface TransportLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /** Something failed, and is tried again. Absent: nobody wants to know. */
  retrying?(retry: Retry): void;
}

/** Each transport has a drawer here and opens no other. */
export interface TransportSettings {
  readonly docker: DockerSettings;
  readonly dir: DirSettings;
  readonly oci: OciSettings;
  /** Absent: one image in each archive, under one name. */
  readonly dockerArchive?: DockerArchiveSettings;
  readonly tarball: TarballSettings;
  /** Absent: the engine at the default socket. */
  readonly dockerDaemon?: DockerDaemonSettings;
  /** Absent: no store, whatever a name says. */
  readonly containersStorage?: StorageSettings;
}

/** How registries are to be spoken to. */
export interface DockerSettings {
  readonly access: RegistryAccess;
  readonly userAgent: string;
  /** How much waiting the whole operation puts up with; absent: each side waits for itself. */
  readonly patience?: Patience;
  /** How long which silence is borne; what is absent is as in `limits`. */
  readonly times?: Partial<StallTimes>;
  /**
   * What the clients of one operation share, on all its sides: whoever comes to a registry that another
   * has found need not find it again. Who made the list disposes of what is in it; absent: nothing is
   * shared.
   */
  readonly shared?: AsyncDisposable[];
  /** What is known of blobs from other runs and repositories; absent: nothing. */
  readonly blobInfo?: BlobInfo;
  /** The most that one request may carry of a blob; absent: all of it, unless the registry refuses. */
  readonly uploadChunkBytes?: number;
  /** Blobs of at most this size are sent in the request that commits them; absent: none are. */
  readonly wholeUploadBytes?: number;
  /** Whether a blob whose digest is open is kept in a file first, and looked for before it is sent. */
  readonly precomputesDigests?: boolean;
}

/** Which engine is meant by `docker-daemon:`. */
export interface DockerDaemonSettings {
  /** Asked once a side, and nothing is read before. Fails with `config`. */
  connection(): Promise<DaemonConnection>;
}

/** What `dir:` shall do with layers; absent: keep them as they are. */
export interface DirSettings {
  /** Whether a run that does not come to its end leaves what it has, for the next one to go on with. */
  readonly keepsParts?: boolean;
  /** Where blobs of other images of this run are; absent: nobody knows. */
  readonly placed?: PlacedBlobs;
  readonly layers?: "compress" | "decompress";
}

/** Files that hold blobs, by digest: an image may have links to those of others. */
export type PlacedBlobs = Map<Digest, readonly string[]>;

/** Where and how `oci:` keeps layers. */
export interface OciSettings {
  /** Whether a run that does not come to its end leaves what it has, for the next one to go on with. */
  readonly keepsParts?: boolean;
  /** Holds the blobs of several layouts, instead of each layout's own `blobs`. */
  readonly sharedBlobDirectory?: string;
  /** Whether uncompressed layers stay uncompressed. */
  readonly acceptsUncompressedLayers?: boolean;
  /** Whether an archive that has images already keeps them beside the new one. */
  readonly appends?: boolean;
}

/** How `docker-archive:` keeps images. */
export interface DockerArchiveSettings {
  /** Further names for the image, in full and with tags. */
  readonly additionalTags?: readonly string[];
  /** Whether an archive that has images already may be given one more. */
  readonly appends?: boolean;
}

/** The machine that `tarball:` says its images are for, in the names of the Go toolchain. */
export interface TarballSettings {
  readonly os: string;
  readonly architecture: string;
}

/** What the program lends a transport for one side of one operation. */
export interface TransportContext {
  readonly signal: AbortSignal;
  /** Where large temporary files go. */
  readonly temporaryDirectory: string;
  readonly log: TransportLog;
  readonly settings: TransportSettings;
  /** For a destination: where the content comes from, if it may be taken from there directly. */
  readonly origin?: ImageName;
}

/** What a name leads to at a glance: as its place says, which nobody has checked. */
export interface Glance {
  readonly digest: Digest;
  /** Whether there may be signatures beside it. */
  readonly perhapsSigned: boolean;
  /** Of its manifest; absent where the place does not say. */
  readonly mediaType?: string;
  /** Whether it is a list and some of its images are not there; absent where nobody knows. */
  readonly lacksImages?: boolean;
  /** What it was made of, as `noteMaking` was told; absent where nobody has said. */
  readonly making?: string;
}

/** An ImageName that can be opened. */
export interface ImageReference extends ImageName {
  /** Whether an image that is written goes to standard output, where nothing else may be said then. */
  readonly takesStandardOutput?: boolean;
  /** The file that an image is written to, where that replaces all of it: one image at a time can be. */
  readonly archiveFile?: string;
  openSource(context: TransportContext): Promise<ImageSource>;
  /**
   * Returns the same image as it was once: what is read has this digest, and policies and signatures are still
   * about the name. Absent where images are not read by digest.
   */
  pinned?(digest: Digest): ImageReference;
  openDestination(context: TransportContext): Promise<ImageDestination>;
  /**
   * Tells what the name leads to without reading it; undefined if it leads to nothing, or if the place
   * does not say. Absent where there is no cheap way to know.
   */
  glance?(context: TransportContext, as: "source" | "destination"): Promise<Glance | undefined>;
  /**
   * Opens what can be asked of the destination without changing anything there: what a dry run rests on.
   * Absent where nothing can be written; whoever adds `openDestination` adds this, with the same traits and
   * the same reasons to refuse.
   */
  openProbe?(context: TransportContext): Promise<DestinationProbe>;
  /** Absent where the transport cannot delete. */
  deleteImage?(context: TransportContext): Promise<void>;
  /**
   * Removes the tag and keeps the image, or fails and does nothing. Absent where tags are not apart from
   * images.
   */
  deleteTag?(context: TransportContext): Promise<void>;
  /**
   * Returns what `deleteImage`, or `deleteTag` if `tagOnly`, would take away, and takes nothing. Fails as
   * those would, as far as that is known before. Absent where nobody can tell.
   */
  planDeletion?(context: TransportContext, tagOnly: boolean): Promise<Deletion>;
  /**
   * Returns the tags beside this image, in the order of the registry, or undefined if it does not
   * disclose them. Absent where there is no such thing.
   */
  listTags?(context: TransportContext): Promise<readonly string[] | undefined>;
}

/** The tags of one repository or archive. */
export interface TagList {
  /** The full repository name; absent where tags are not those of a repository. */
  readonly repository?: string;
  /** Absent if there is no image at all. */
  readonly tags?: readonly string[];
}

/**
 * A kind of storage: the part before the first colon of an image name.
 *
 * This face of a transport is small and always loaded. What does the work, its sources and
 * destinations, is imported when a reference is opened: `copy dir:a oci:b` never loads the registry
 * client.
 */
export interface Transport {
  readonly name: string;
  /** Whether lists for people leave it out: it is known, but of no use to anybody new. */
  readonly unlisted?: boolean;
  /** Parses what follows the colon. Fails with `usage`. */
  parseReference(text: string): ImageReference;
  /** Fails with `config` if `scope` could never match an image of this transport in policy.json. */
  checkPolicyScope(scope: string): void;
  /** Lists the tags of the repository or archive that `text` names. Absent where there are none. */
  listTags?(text: string, context: TransportContext): Promise<TagList>;
  /**
   * Returns the texts that name the images kept at a place, such as a layout. Absent where images are not
   * kept together.
   */
  listImages?(place: string, context: TransportContext): Promise<readonly string[]>;
  /** Writes all images of a layout, a directory, to one place at once. Absent where that cannot be. */
  packLayout?(layout: string, place: string, context: TransportContext): Promise<void>;
  /**
   * Tells whether the registry at `host`, a domain and perhaps a port, takes the credentials that the
   * context has for it. Absent where nobody logs in.
   */
  verifyLogin?(host: string, context: TransportContext): Promise<boolean>;
}

/** All transports by name. */
export type TransportTable = Readonly<Record<string, Transport>>;
