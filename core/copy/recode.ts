// Recoding: what is done to the compression of a layer on its way, and what proves its content.

import { type DetectedCompression, decompressed } from "../blob/decompress.ts";
import { packing } from "../blob/packing.ts";
import type { Stage } from "../blob/stream.ts";
import { isChunked } from "../content/chunked-layer.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { type Compression, recompressedType, type WrittenFormat } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { OutgoingBlob } from "../image/destination.ts";
import { digested, digestedBeside } from "./diff-id.ts";
import type { BlobStep, Recoding } from "./plan.ts";

/** Returns how the bytes are to be stored, or undefined if they may stay as they are. */
export function targetOf(
  { recoding, blob }: BlobStep,
  found: DetectedCompression,
): WrittenFormat | "none" | undefined {
  switch (recoding.kind) {
    case "none":
      return undefined;
    case "decompress":
      return found === "none" ? undefined : "none";
    case "compress": {
      const { to, anew } = recoding;
      if (found === "none") return to;
      return anew && !isAlready(to, found, blob) ? to : undefined;
    }
  }
}

/** What is chunked is zstd, too; but of zstd only what says so is chunked. */
function isAlready(to: WrittenFormat, found: DetectedCompression, blob: Descriptor): boolean {
  return to === "zstd:chunked" ? found === "zstd" && isChunked(blob) : found === to;
}

/** What changing the compression of a layer takes. */
export interface Recoded {
  readonly step: BlobStep;
  readonly from: DetectedCompression;
  readonly to: WrittenFormat | "none";
  /** Tells the diffID of a layer by the image's config, where the config tells. */
  readonly diffIdOf: (layer: Digest) => Promise<Digest | undefined>;
  /** Is told the digest of the uncompressed content. */
  readonly learn: (diffId: Digest) => void;
  /** Is told what the manifest has to say of the new bytes, if it has to. */
  readonly annotate: (annotations: Readonly<Record<string, string>>) => void;
}

/** Returns a layer with its compression changed. The uncompressed content is held against the diffID of the config. */
export async function recode(
  stored: OutgoingBlob,
  { step: { blob, recoding }, from, to, diffIdOf, learn, annotate }: Recoded,
): Promise<OutgoingBlob> {
  const mediaType = recompressedType(stored.mediaType, compressionIn(to));
  if (mediaType === undefined) {
    throw new Failure("bug", `A layer of type ${stored.mediaType} was to be recompressed`);
  }
  const diffId = await diffIdOf(blob.digest);
  const unpack = decompressed(from);
  const pack = await packingOf(to, recoding, annotate);
  if (from === "none" && stored.digest !== undefined) {
    // Verified under its own digest already: hashing it again would tell nothing new.
    if (diffId !== undefined && diffId !== stored.digest) throw otherContent(blob.digest, diffId);
    learn(stored.digest);
    return stored.through(pack, { mediaType });
  }
  const check = layerContent(blob.digest, { diffId, learn });
  // What the check has proved nobody has to compute again.
  const becomes = { mediaType, ...(to === "none" && diffId !== undefined && { digest: diffId }) };
  return stored.through((bytes) => pack(check(unpack(bytes))), becomes);
}

/** Returns the compression that a format is one of. */
export function compressionIn(to: WrittenFormat | "none"): Compression {
  return to === "zstd:chunked" ? "zstd" : to;
}

async function packingOf(
  to: WrittenFormat | "none",
  recoding: Recoding,
  annotate: Recoded["annotate"],
): Promise<Stage> {
  if (to === "none") return (bytes) => bytes;
  const level = recoding.kind === "compress" ? recoding.level : undefined;
  return packing({ format: to, level, annotate });
}

/**
 * Returns a stage that holds a decrypted layer against the diffID of the config: the HMAC is over the encrypted
 * bytes, and does not tell whether they were decrypted from the right start. Undefined where nobody knows
 * the content.
 */
export async function proving(
  { digest }: Descriptor,
  found: DetectedCompression,
  diffIdOf: Recoded["diffIdOf"],
): Promise<Stage | undefined> {
  const diffId = await diffIdOf(digest);
  if (diffId === undefined || found === "bzip2" || found === "xz") return undefined;
  const check = (content: Digest): void => {
    if (content !== diffId) throw otherContent(digest, diffId);
  };
  return digestedBeside(found, check, diffId);
}

/** What is known of a layer's content, and what is learned. */
interface ContentWish {
  /** What the config names; undefined where it names nothing. */
  readonly diffId: Digest | undefined;
  readonly learn: (diffId: Digest) => void;
}

/** Passes uncompressed content through, and fails at the end unless it is what the config names. */
function layerContent(layer: Digest, { diffId, learn }: ContentWish): Stage {
  return digested((found) => {
    if (diffId !== undefined && found !== diffId) throw otherContent(layer, diffId);
    learn(found);
  }, diffId);
}

function otherContent(layer: Digest, diffId: Digest): Failure {
  return new Failure(
    "corrupt",
    `Layer ${layer} is not the content that the image's config names, ${diffId}`,
  );
}
