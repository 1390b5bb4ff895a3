// StorageSettings: what the containers-storage transport asks about this machine's store.

import type { BlobInfo } from "../cache/blob-info.ts";

/** How a store is worked with. */
export interface StorageSettings {
  /** Returns which store is meant where a name does not say. Fails with `config`. */
  configured(): Promise<StorageConf>;
  /** Whether we are root in a user namespace only, so that the kernel keeps some things from us. */
  readonly rootless: boolean;
  /** Tells the time that stands in new records. */
  readonly now: () => Date;
  /** What is known of blobs from other runs and places; absent: nothing. */
  readonly blobInfo?: BlobInfo;
}

/** A store, as storage.conf and the environment describe it. */
export interface StorageConf {
  /** Empty: whichever driver the store is found to be of. */
  readonly driver: string;
  /** Drivers to look for, best first; absent where nobody has said. */
  readonly driverPriority?: readonly string[];
  readonly graphRoot: string;
  readonly runRoot: string;
  /** Where images are kept, if not below the graph root. */
  readonly imageStore?: string;
  /** What drivers are told, such as `overlay.mountopt=nodev`, in the order in which it is spelled. */
  readonly options: readonly string[];
}
