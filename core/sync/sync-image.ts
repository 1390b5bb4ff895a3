// SyncImage: one image that is to be synchronized, and the groups in which they come.

import type { ImageReference, TransportContext, TransportLog } from "../image/transport.ts";
import type { ChosenImage, LockedLayer } from "./lock-file.ts";

/** One image that is to be synchronized. */
export interface SyncImage {
  readonly reference: ImageReference;
  /** Leads to it. */
  readonly context: TransportContext;
  /**
   * What the name at the destination is made of: all of it, or its last part only. Such as
   * `docker.io/library/busybox:1`.
   */
  readonly path: string;
  /** The same without what it is below: a registry's host, or the directory where images were looked for. */
  readonly below: string;
  /** What it is to be called at the destination instead, below the destination's own name. */
  readonly to?: string;
  /** What it consists of, where that is known before it is looked at. */
  readonly layers?: readonly LockedLayer[];
  /** Which image of it was taken when it was written down, if it is a list. */
  readonly chosen?: ChosenImage;
  /** Its tag, or what comes closest; absent where it is named by its digest. */
  readonly tag?: string;
}

/** Images that came by one wish, such as all those of a repository. */
export interface SyncGroup {
  readonly images: readonly SyncImage[];
}

/** Values shown behind a message, by name. */
export type SyncFields = Readonly<Record<string, string>>;

/** Takes what is worth telling while images are looked for and moved. */
export interface SyncLog extends TransportLog {
  info(message: string, fields?: SyncFields): void;
  warn(message: string, fields?: SyncFields): void;
  error(message: string, fields?: SyncFields): void;
}
