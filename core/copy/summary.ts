// Summary: what a run of copies comes to.

import type { BlobOutcome } from "./blob-outcome.ts";

/** A number for each way in which blobs get there. */
export type Moves = Readonly<Record<BlobOutcome, number>>;

/** What a run of copies comes to. Of a copy that was attempted more than once, the last attempt counts. */
export interface Summary {
  /** Copies that have succeeded, each destination counting as one. */
  readonly copies: number;
  /** Likewise, copies whose last attempt has failed. */
  readonly failures: number;
  /** Manifests written, lists included. */
  readonly manifests: number;
  readonly blobs: Moves;
  /**
   * Sizes of those blobs at the destination, and what was read of all blobs at the source; what several
   * destinations of a copy are given of one blob was read once.
   */
  readonly bytes: Moves & { readonly read: number };
  /** How often something was tried again, of all attempts. */
  readonly retries: number;
}
