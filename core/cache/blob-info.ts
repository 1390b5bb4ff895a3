// BlobInfo: which blobs are the same content, and where they were seen.

import type { Digest } from "../content/digest.ts";
import type { ChunkedAnnotations } from "../content/chunked-layer.ts";
import type { Compression, LayerForm } from "../content/media-types.ts";

/** A group of places between which blobs can be moved without us, such as one registry. */
export interface BlobScope {
  /** Of the transport, such as `docker`. */
  readonly transport: string;
  /** In the transport's own words, such as a registry's domain. */
  readonly scope: string;
}

/** Something that is worth knowing the next time. */
export type BlobFact =
  /** Whoever says so has computed both digests from the bytes. */
  | { readonly kind: "content"; readonly digest: Digest; readonly uncompressed: Digest }
  | { readonly kind: "compression"; readonly digest: Digest; readonly compression: Compression }
  /** A zstd blob of which single files can be fetched. */
  | {
      readonly kind: "chunked";
      readonly digest: Digest;
      readonly annotations: ChunkedAnnotations;
      readonly uncompressed: Digest;
    }
  | {
      readonly kind: "location";
      readonly scope: BlobScope;
      readonly digest: Digest;
      /** In the transport's own words, such as a repository's full name. */
      readonly location: string;
    };

/** A blob that may do instead of sending one, and perhaps where it is. */
export interface BlobCandidate {
  readonly digest: Digest;
  /** Absent for the wanted blob itself. */
  readonly standIn?: {
    readonly compression: Compression;
    /** The content that it shares with the wanted blob. */
    readonly uncompressed: Digest;
    /** What a manifest has to say of it, where it is chunked. */
    readonly annotations?: ChunkedAnnotations;
  };
  /** Absent if nobody has seen it within the scope. */
  readonly location?: string;
}

/** What is looked for. */
export interface CandidateWish {
  readonly scope: BlobScope;
  readonly digest: Digest;
  /** The forms in which other bytes of the same content would do; empty if none would. */
  readonly forms: readonly LayerForm[];
}

/**
 * What this program and others have learned about blobs. Nothing of it is certain any more, and nothing
 * depends on it: to forget all costs only time. So none of this ever fails.
 */
export interface BlobInfo {
  /** Takes a fact in. */
  note(fact: BlobFact): void;
  /** Returns what may do instead of sending a blob, most promising first. */
  candidates(wish: CandidateWish): Promise<readonly BlobCandidate[]>;
}
