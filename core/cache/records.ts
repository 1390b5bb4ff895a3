// BlobRecords: where facts about blobs are kept.

import type { ChunkedAnnotations } from "../content/chunked-layer.ts";
import type { Digest } from "../content/digest.ts";
import type { Compression } from "../content/media-types.ts";
import type { BlobFact, BlobScope } from "./blob-info.ts";

/** A place where a blob was seen. */
export interface SeenBlob {
  readonly location: string;
  /** In milliseconds since 1970. */
  readonly timeMs: number;
}

/** A fact, and when it was learned, in milliseconds since 1970. */
export interface DatedFact {
  readonly fact: BlobFact;
  readonly timeMs: number;
}

/** Facts about blobs, as they are kept in one place. May fail. */
export interface BlobRecords {
  /** Where a blob was seen within a scope, in any order. */
  seen(scope: BlobScope, digest: Digest): readonly SeenBlob[];
  /** The digest of a blob's content when it is not compressed. */
  uncompressedOf(digest: Digest): Digest | undefined;
  /** All blobs that are this content, compressed or not. */
  sharing(uncompressed: Digest): readonly Digest[];
  /** Undefined also for a compression that we cannot name. */
  compressionOf(digest: Digest): Compression | undefined;
  /** What a manifest has to say of a blob; undefined unless it is chunked. */
  chunkedOf(digest: Digest): ChunkedAnnotations | undefined;
  /** Keeps facts, all of them or none. */
  keep(facts: readonly DatedFact[]): void;
}
