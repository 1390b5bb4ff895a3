// Transfer: moving the blobs of one image. It decides nothing.

import {
  type DetectedCompression,
  decompressed,
  detectCompression,
  magicBytes,
} from "../blob/decompress.ts";
import type { Stage } from "../blob/stream.ts";
import { mapLimited } from "../concurrency.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, Digester } from "../content/digest.ts";
import { type Compression, recompressedType } from "../content/media-types.ts";
import { Failure, during } from "../failure.ts";
import type { ImageDestination, OutgoingBlob, StoredBlob } from "../image/destination.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import type { Tell } from "./events.ts";
import type { BlobStep } from "./plan.ts";

/** Between which two places blobs move, and how. */
export interface Transfer {
  readonly image: AdmittedImage;
  readonly writer: ImageDestination;
  /** Blobs moved at a time, where both sides allow several. */
  readonly parallelBlobs: number;
  readonly signal: AbortSignal;
  readonly tell: Tell;
  /** The digest that a layer has by the image's config once it is uncompressed, where the config tells. */
  readonly diffIdOf: (layer: Digest) => Promise<Digest | undefined>;
}

/** A blob as the destination holds it, under the media type that it has there. */
export interface MovedBlob {
  readonly mediaType: string;
  readonly stored: StoredBlob;
}

/**
 * Carries out the steps of a plan, several at a time, and returns what the destination holds for each
 * blob. What the destination has already is not moved.
 *
 * The first failure stops all others, and is thrown when they have ended.
 */
export async function transferBlobs(
  steps: readonly BlobStep[],
  transfer: Transfer,
): Promise<Map<Digest, MovedBlob>> {
  const { image, writer, parallelBlobs } = transfer;
  const limit = image.concurrent && writer.traits.concurrent ? parallelBlobs : 1;
  const moved = await mapLimited(steps, limit, async (step, stop) => {
    const signal = AbortSignal.any([stop, transfer.signal]);
    return [step.blob.digest, await moveBlob(step, { ...transfer, signal })] as const;
  });
  return new Map(moved);
}

/** Moves one blob unless the destination can get at it without. */
async function moveBlob(step: BlobStep, transfer: Transfer): Promise<MovedBlob> {
  const { writer, tell } = transfer;
  const { blob, role } = step;
  tell({
    kind: "blob-begun",
    digest: blob.digest,
    role,
    ...(blob.size === undefined ? {} : { size: blob.size }),
  });
  const present = await during(
    `trying to reuse blob ${blob.digest} at destination`,
    () => writer.reuseBlob(blob, role),
    "destination",
  );
  const moved =
    present === undefined
      ? await sendBlob(step, transfer)
      : { mediaType: blob.mediaType, stored: present };
  const { by, size } = moved.stored;
  tell({ kind: "blob-ended", digest: blob.digest, role, by, size });
  return moved;
}

/**
 * Sends one blob, whatever the destination has. Content that turns out wrong is read once more, past all
 * caches: a broken node of a content network is the usual cause.
 */
export async function sendBlob(step: BlobStep, transfer: Transfer): Promise<MovedBlob> {
  const { blob } = step;
  try {
    return await sendOnce(step, transfer, false);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "corrupt") throw error;
    transfer.tell({ kind: "blob-restarted", digest: blob.digest, reason: error.message });
    return await sendOnce(step, transfer, true);
  }
}

async function sendOnce(step: BlobStep, transfer: Transfer, fresh: boolean): Promise<MovedBlob> {
  const { image, writer, signal } = transfer;
  const { blob, role } = step;
  const reading = { signal, fresh };
  const put = async (outgoing: OutgoingBlob): Promise<MovedBlob> => {
    const stored = await during(
      "writing blob",
      () => writer.putBlob(outgoing, role, signal),
      "destination",
    );
    return { mediaType: outgoing.mediaType, stored };
  };
  const counting = counted(blob.digest, transfer.tell);
  if (step.recoding === "none") return put(image.blob(blob, reading).through(counting, blob));

  await using peek = await during(
    `reading blob ${blob.digest}`,
    () => image.peek(blob, magicBytes, reading),
    "source",
  );
  const found = detectCompression(peek.start);
  const stored = peek.blob.through(counting, blob);
  const target = targetOf(step.recoding, found);
  // Awaited, or the source would be let go of while it is still read.
  if (target === undefined) return await put(stored);
  const recoded = await recode(stored, { blob, from: found, to: target, transfer });
  return await put(recoded);
}

/** Returns the compression to store, or undefined if the bytes may stay as they are. */
function targetOf(
  recoding: "compress" | "decompress",
  found: DetectedCompression,
): Compression | undefined {
  if (recoding === "compress") return found === "none" ? "gzip" : undefined;
  return found === "none" ? undefined : "none";
}

interface Recoding {
  readonly blob: Descriptor;
  readonly from: DetectedCompression;
  readonly to: Compression;
  readonly transfer: Transfer;
}

/** Changes the compression. The uncompressed content is held against the diffID of the config. */
async function recode(
  stored: OutgoingBlob,
  { blob, from, to, transfer }: Recoding,
): Promise<OutgoingBlob> {
  const mediaType = recompressedType(blob.mediaType, to);
  if (mediaType === undefined) {
    throw new Failure("bug", `A layer of type ${blob.mediaType} was to be recompressed`);
  }
  const diffId = await transfer.diffIdOf(blob.digest);
  const unpack = decompressed(from);
  const pack = await packing(to);
  if (from === "none") {
    // Verified under its own digest already: hashing it again would tell nothing new.
    if (diffId !== undefined && diffId !== blob.digest) throw otherContent(blob.digest, diffId);
    return stored.through(pack, { mediaType });
  }
  const check = layerContent(blob.digest, diffId);
  return stored.through((bytes) => pack(check(unpack(bytes))), { mediaType });
}

/** Loads the compression only where it is needed: the runtime's zlib costs more than all of our code. */
async function packing(to: Compression): Promise<Stage> {
  if (to !== "gzip") return (bytes) => bytes;
  const { gzipped } = await import("../blob/compress.ts");
  return (bytes) => gzipped(bytes);
}

/** Passes uncompressed content through, and fails at the end unless it is what the config names. */
function layerContent(layer: Digest, diffId: Digest | undefined): Stage {
  if (diffId === undefined) return (bytes) => bytes;
  return async function* (bytes) {
    const digester = new Digester(diffId);
    for await (const chunk of bytes) {
      digester.update(chunk);
      yield chunk;
    }
    if (digester.digest() !== diffId) throw otherContent(layer, diffId);
  };
}

function otherContent(layer: Digest, diffId: Digest): Failure {
  return new Failure(
    "corrupt",
    `Layer ${layer} is not the content that the image's config names, ${diffId}`,
  );
}

function counted(digest: Digest, tell: Tell): Stage {
  return async function* (bytes) {
    for await (const chunk of bytes) {
      tell({ kind: "blob-moved", digest, bytes: chunk.length });
      yield chunk;
    }
  };
}
