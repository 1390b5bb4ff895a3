// Deletion: what deleting an image takes away.

import type { Digest } from "../content/digest.ts";

/** One thing that is taken away. */
export interface Removal {
  readonly kind: "manifest" | "tag" | "blob" | "file";
  /** A digest, the name with its tag, or a path. */
  readonly name: string;
  /** In bytes; absent if unknown. */
  readonly size?: number;
}

/** What deleting an image takes away. */
export interface Deletion {
  /** Of the manifest that the name leads to; absent where there is none. */
  readonly digest?: Digest;
  readonly removals: readonly Removal[];
  /** What else one should know of it. */
  readonly notes: readonly string[];
}
