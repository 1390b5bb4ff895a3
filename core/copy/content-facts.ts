// Content facts: what a transfer has seen of a blob, bytes and all.

import type { BlobFact } from "../cache/blob-info.ts";
import { chunkedAnnotationsIn } from "../content/chunked-layer.ts";
import type { DetectedCompression } from "../blob/decompress.ts";
import type { Digest } from "../content/digest.ts";
import type { Compression } from "../content/media-types.ts";

/** A blob that was read to its end and written, perhaps compressed in another way. */
export interface SeenContent {
  readonly read: Digest;
  readonly readAs: DetectedCompression;
  readonly written: Digest;
  /** Absent where it was written as it was read. */
  readonly writtenAs: Compression | undefined;
  /** The digest of its uncompressed content, where that was computed by itself. */
  readonly diffId: Digest | undefined;
  /** What the manifest has to say of what was written; absent: nothing. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Returns what is worth knowing the next time: nothing but what was computed from the bytes. */
export function contentFacts(seen: SeenContent): readonly BlobFact[] {
  const { read, readAs, written, writtenAs = readAs } = seen;
  const forms = new Map<Digest, DetectedCompression>([
    [read, readAs],
    [written, writtenAs],
  ]);
  const plain = [...forms].find(([, compression]) => compression === "none")?.[0];
  const uncompressed = seen.diffId ?? plain;
  const chunked = chunkedAnnotationsIn(seen.annotations ?? {});
  const facts = [...forms].flatMap(([digest, compression]): BlobFact[] => [
    ...(isNamed(compression) ? [{ kind: "compression" as const, digest, compression }] : []),
    ...(uncompressed === undefined ? [] : [{ kind: "content" as const, digest, uncompressed }]),
  ]);
  if (chunked === undefined || uncompressed === undefined) return facts;
  return [...facts, { kind: "chunked", digest: written, annotations: chunked, uncompressed }];
}

function isNamed(compression: DetectedCompression): compression is Compression {
  return compression === "none" || compression === "gzip" || compression === "zstd";
}
