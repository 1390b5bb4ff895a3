// Transfer: moving the blobs of one image. It decides nothing.

import { type DetectedCompression, detectCompression, magicBytes } from "../blob/decompress.ts";
import type { Stage } from "../blob/stream.ts";
import type { BlobInfo } from "../cache/blob-info.ts";
import { mapLimited, Slots } from "../concurrency.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { decryptedType, encryptedType } from "../content/encrypted-layer.ts";
import { type Compression, recompressedType, type WrittenFormat } from "../content/media-types.ts";
import { Failure, during } from "../failure.ts";
import type { ImageDestination, OutgoingBlob, StandIns, StoredBlob } from "../image/destination.ts";
import type { BlobReading } from "../image/source.ts";
import { limits } from "../limits.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import type { BlobSharing } from "./blob-sharing.ts";
import { contentFacts } from "./content-facts.ts";
import { outcomeOf } from "./blob-outcome.ts";
import type { BlobChange, Tell } from "./events.ts";
import { digestedBeside, fittingType, type LayerContent, readLayerContent } from "./diff-id.ts";
import type { CryptWish } from "./layer-crypt.ts";
import type { BlobStep } from "./plan.ts";
import { compressionIn, proving, recode, targetOf } from "./recode.ts";

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
  /** By which keys layers are encrypted or decrypted; absent: none is. */
  readonly crypt?: CryptWish | undefined;
  /** Learns what is seen of blobs; absent: nobody does. */
  readonly blobInfo?: BlobInfo | undefined;
  /** Knows of copies that go on at the same time; absent: there are none. */
  readonly sharing?: BlobSharing | undefined;
}

/** A blob as the destination holds it, under the media type that it has there. */
export interface MovedBlob {
  readonly mediaType: string;
  readonly stored: StoredBlob;
  /** What the manifest has to say of it because its bytes have changed. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The digest of its uncompressed content, where that was asked for. */
  readonly diffId?: Digest;
  /** What was done to its bytes on the way; absent where they stayed. */
  readonly changes?: readonly BlobChange[];
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
  const { image, writer, parallelBlobs, sharing } = transfer;
  const limit = image.concurrent && writer.traits.concurrent ? parallelBlobs : 1;
  const moved = await mapLimited(steps, limit, async (step, stop) => {
    const signal = AbortSignal.any([stop, transfer.signal]);
    const { digest } = step.blob;
    const move = () => moveBlob(step, { ...transfer, signal });
    return [digest, await (sharing === undefined ? move() : sharing.move(digest, move))] as const;
  });
  return new Map(moved);
}

/** Moves one blob unless the destination can get at it without. */
async function moveBlob(step: BlobStep, transfer: Transfer): Promise<MovedBlob> {
  const { tell } = transfer;
  const { blob, role } = step;
  await tell({
    kind: "blob-begun",
    digest: blob.digest,
    role,
    ...(blob.size === undefined ? {} : { size: blob.size }),
  });
  const present = await during(
    `trying to reuse blob ${blob.digest} at destination`,
    () => reuse(step, transfer),
    "destination",
  );
  const moved = present === undefined ? await sendBlob(step, transfer) : reused(blob, present);
  const known = step.needsDiffId ? await withDiffId(blob, moved, transfer) : moved;
  const { digest: storedAs, size } = moved.stored;
  const outcome = outcomeOf(moved.stored);
  const different = {
    ...(storedAs !== blob.digest && { storedAs }),
    ...(moved.changes !== undefined && { changes: moved.changes }),
  };
  tell({ kind: "blob-ended", digest: blob.digest, role, outcome, size, ...different });
  return known;
}

async function reuse(step: BlobStep, transfer: Transfer): Promise<StoredBlob | undefined> {
  const { blob, role, reusable } = step;
  const standIns = standInsOf(step, transfer);
  if (reusable) return transfer.writer.reuseBlob(blob, role, standIns);
  if (standIns === undefined) return undefined;
  return transfer.writer.reuseStandIn?.(blob, standIns);
}

function standInsOf({ blob, standIns }: BlobStep, transfer: Transfer): StandIns | undefined {
  if (standIns === undefined) return undefined;
  return { forms: standIns, content: () => transfer.diffIdOf(blob.digest) };
}

function reused({ mediaType }: Descriptor, stored: StoredBlob): MovedBlob {
  if (stored.compression === undefined) return { mediaType, stored };
  const other = recompressedType(mediaType, stored.compression);
  if (other === undefined) throw new Failure("bug", `Nothing can stand in for a ${mediaType}`);
  const { annotations } = stored;
  return { mediaType: other, stored, ...(annotations !== undefined && { annotations }) };
}

/** Returns a moved blob with its diffID, for which it is read once more if it was not asked for before. */
export async function withDiffId(
  blob: Descriptor,
  moved: MovedBlob,
  transfer: Transfer,
): Promise<MovedBlob & { readonly diffId: Digest }> {
  const { diffId } = moved;
  if (diffId !== undefined) return { ...moved, diffId };
  const { image, signal } = transfer;
  const content: LayerContent = await during("computing layer DiffID", () =>
    twice(blob, transfer, (fresh) => readLayerContent(image, blob, { signal, fresh })),
  );
  const asIs = moved.stored.digest === blob.digest;
  return { ...moved, ...content, mediaType: asIs ? content.mediaType : moved.mediaType };
}

/** Sends one blob, whatever the destination has. */
export async function sendBlob(step: BlobStep, transfer: Transfer): Promise<MovedBlob> {
  // Not anew when the bytes are read anew: what is wrong with a key stays wrong.
  const decryption = await decryptionOf(step, transfer);
  const sending = { ...transfer, decryption };
  const send = () => twice(step.blob, transfer, (fresh) => sendOnce(step, sending, fresh));
  // Before it is opened: no connection is kept waiting.
  return isRecompressed(step) ? slotsFor(step).run(send) : send();
}

/** Where layers wait that are large and about to be compressed. They wait for nothing else after that. */
const compressing = new Slots(limits.compressedLayers);
/** Their archives are read on the main thread, which has no more to give. */
const chunking = new Slots(1);

function slotsFor({ recoding }: BlobStep): Slots {
  return recoding.kind === "compress" && recoding.to === "zstd:chunked" ? chunking : compressing;
}

/** Tells whether a layer will be compressed that is compressed already, unless it is as it shall be. */
function isRecompressed({ recoding, blob }: BlobStep): boolean {
  return recoding.kind === "compress" && recoding.anew && isLarge(blob);
}

function isLarge({ size = Infinity }: Descriptor): boolean {
  return size > limits.smallLayerBytes;
}

/**
 * Reads a blob, and once more, past all caches, if its content turns out wrong: a broken node of a content
 * network is the usual cause.
 */
async function twice<T>(
  { digest }: Descriptor,
  { tell, signal }: Transfer,
  read: (fresh: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await read(false);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "corrupt") throw error;
    // It may have ended because another blob is wrong.
    signal.throwIfAborted();
    tell({ kind: "blob-restarted", digest, reason: error.message });
    return await read(true);
  }
}

/** A transfer of one blob, with the stage that decrypts it, if it shall be. */
interface Sending extends Transfer {
  readonly decryption: Stage | undefined;
}

async function decryptionOf(
  { blob, crypt }: BlobStep,
  { crypt: wish }: Transfer,
): Promise<Stage | undefined> {
  if (crypt !== "decrypt" || wish?.kind !== "decrypt") return undefined;
  const { decryptLayer } = await import("../blob/encrypt.ts");
  return decryptLayer(blob, wish.openings);
}

async function sendOnce(step: BlobStep, transfer: Sending, fresh: boolean): Promise<MovedBlob> {
  const { signal } = transfer;
  const { blob, needsDiffId } = step;
  let diffId: Digest | undefined;
  let annotations: MovedBlob["annotations"];
  const learn = (found: Digest): void => void (diffId = found);
  const put = async (
    outgoing: OutgoingBlob,
    target?: WrittenFormat | "none",
  ): Promise<MovedBlob> => {
    const moved = await putBlob(outgoing, step, transfer);
    const changes = moved.stored.by === "sending" ? changesTo(step, target) : [];
    return {
      ...moved,
      ...(changes.length > 0 && { changes }),
      ...(annotations !== undefined && { annotations: { ...annotations, ...moved.annotations } }),
      ...(diffId !== undefined && { diffId }),
    };
  };
  const noting = (moved: MovedBlob, readAs: DetectedCompression, writtenAs?: Compression) => {
    const { digest: written, by } = moved.stored;
    // What was there already may not have been read to its end; what is encrypted is nobody's business.
    if (by !== "sending" || step.crypt !== undefined) return moved;
    const seen = { read: blob.digest, readAs, written, writtenAs, diffId, annotations };
    for (const fact of contentFacts(seen)) transfer.blobInfo?.note(fact);
    return moved;
  };
  const incoming = openBlob(step, transfer, { signal, fresh });
  const { decryption } = transfer;
  if (step.recoding.kind === "none" && !needsDiffId && decryption === undefined) {
    return put(incoming);
  }

  await using peek = await during(
    `reading blob ${blob.digest}`,
    () => incoming.peek(magicBytes),
    "source",
  );
  const found = detectCompression(peek.start);
  const stored = peek.blob;
  const target = targetOf(step, found);
  // Awaited, or the source would be let go of while it is still read.
  if (target !== undefined) {
    const annotate = (said: MovedBlob["annotations"]): void => void (annotations = said);
    const recoded = { step, from: found, to: target, diffIdOf: transfer.diffIdOf, learn, annotate };
    const send = async () => put(await recode(stored, recoded), target);
    const waits = target !== "none" && isLarge(blob) && !isRecompressed(step);
    const moved = await (waits ? slotsFor(step).run(send) : send());
    return noting(moved, found, compressionIn(target));
  }
  const mediaType = fittingType(stored.mediaType, found);
  const proof =
    decryption === undefined ? undefined : await proving(blob, found, transfer.diffIdOf);
  const beside = proof ?? (needsDiffId ? digestedBeside(found, learn) : undefined);
  const sent =
    beside === undefined ? stored.as(mediaType) : stored.through(beside, { ...stored, mediaType });
  return noting(await put(sent), found);
}

/** Returns what is done to the bytes of a blob, in this order. */
function changesTo(
  { crypt }: BlobStep,
  target: WrittenFormat | "none" | undefined,
): readonly BlobChange[] {
  return [
    ...(crypt === "decrypt" ? [crypt] : []),
    ...(target === undefined ? [] : ([target === "none" ? "decompress" : "compress"] as const)),
    ...(crypt === "encrypt" ? [crypt] : []),
  ];
}

/** Opens a blob, decrypted if it shall be. */
function openBlob(
  { blob }: BlobStep,
  { image, writer, tell, decryption }: Sending,
  reading: BlobReading,
): OutgoingBlob {
  // What turned out wrong may have been wrong from its start.
  const held = reading.fresh === true ? undefined : writer.heldStart?.(blob);
  const incoming = image
    .blob(blob, reading, held)
    .counted((bytes) => tell({ kind: "blob-moved", digest: blob.digest, bytes }));
  if (decryption === undefined) return incoming;
  return incoming.through(decryption, { mediaType: decryptedType(blob.mediaType) });
}

/** Writes a blob, encrypted if it shall be. */
async function putBlob(
  outgoing: OutgoingBlob,
  { role, crypt }: BlobStep,
  { writer, signal, crypt: wish }: Transfer,
): Promise<MovedBlob> {
  const put = (blob: OutgoingBlob): Promise<StoredBlob> =>
    during("writing blob", () => writer.putBlob(blob, role, signal), "destination");
  if (crypt !== "encrypt" || wish?.kind !== "encrypt") {
    return { mediaType: outgoing.mediaType, stored: await put(outgoing) };
  }
  const { encryptLayer } = await import("../blob/encrypt.ts");
  const encryption = encryptLayer(wish.wrappings);
  const mediaType = encryptedType(outgoing.mediaType);
  const stored = await put(outgoing.through(encryption.stage, { mediaType }));
  // Nobody knows what they would be of bytes that have not passed.
  if (writer.rehearses === true) return { mediaType, stored };
  return { mediaType, stored, annotations: await encryption.annotations() };
}
