// Blob file: a blob on its way into the file that is named for its digest.

import { lstatSync, rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { OutgoingBlob, StoredBlob } from "../../core/image/destination.ts";
import type { HeldStart } from "../../core/image/source.ts";
import { openFile, rangeStream } from "./file-stream.ts";
import { flock } from "./libc/flock.ts";
import { NewFile } from "./new-file.ts";
import { partPath, partsOf } from "./temporary.ts";

/** Where a blob grows, and where it belongs. */
export interface BlobPlace {
  /** On the file system of where it belongs. */
  readonly workshop: string;
  /** Returns the path of a finished blob, in a directory that exists. */
  pathOf(digest: Digest): string;
  /** Whether what there is of a blob stays when something fails, for the next run to go on with. */
  readonly keepsParts?: boolean;
}

/**
 * Writes a blob to the file named for its digest, and computes the digest if it is open.
 *
 * The file appears when the stream has ended well; after an error or an abort nothing is left. Its name
 * survives a crash of the machine once its directory has been synced.
 */
export async function writeBlobFile(
  blob: OutgoingBlob,
  place: BlobPlace,
  ...signals: readonly AbortSignal[]
): Promise<StoredBlob> {
  await using file = await beginFile(blob, place);
  if (blob.givesMemory) file.takeMemory();
  try {
    return await writeTo(file, blob, place, signals);
  } catch (error) {
    if (!isInterruption(error)) file.drop();
    throw error;
  }
}

async function beginFile({ digest, size }: OutgoingBlob, place: BlobPlace): Promise<NewFile> {
  const { workshop, keepsParts } = place;
  const target = digest === undefined ? undefined : place.pathOf(digest);
  if (keepsParts !== true || digest === undefined || size === undefined) {
    return NewFile.create(workshop, target, size);
  }
  for (;;) {
    const file = NewFile.create(workshop, target, size, partPath(workshop, digest));
    if (file.keep()) return file;
    await file[Symbol.asyncDispose]();
  }
}

/** What was cut short may be gone on with. What is wrong, or could not be written, is not worth it. */
function isInterruption(error: unknown): boolean {
  const { code } = asFailure(error);
  return code === "canceled" || code === "unavailable";
}

async function writeTo(
  file: NewFile,
  blob: OutgoingBlob,
  place: BlobPlace,
  signals: readonly AbortSignal[],
): Promise<StoredBlob> {
  const digester = blob.digest === undefined ? new Digester() : undefined;
  for await (const chunk of blob.open()) {
    for (const signal of signals) signal.throwIfAborted();
    digester?.update(chunk);
    await file.write(chunk);
  }
  for (const signal of signals) signal.throwIfAborted();
  const digest = blob.digest ?? digester?.digest();
  if (digest === undefined) throw new Failure("bug", "A blob was written without a digest");
  const { size } = file;
  if (blob.size !== undefined && blob.size !== size) {
    throw new Failure(
      "corrupt",
      `Size mismatch when copying ${digest}, expected ${blob.size}, got ${size}`,
    );
  }
  await file.complete();
  file.publish(place.pathOf(digest));
  if (place.keepsParts === true) await removeParts(place.workshop, digest);
  return { digest, size, by: "sending" };
}

/** What earlier runs left of a blob that is whole now is of no use any more. */
async function removeParts(directory: string, digest: Digest): Promise<void> {
  for (const path of partsOf(directory, digest)) await removeAbandoned(path);
}

/** Removes a part that nobody is writing, as long as it is locked: nobody begins to meanwhile. */
async function removeAbandoned(path: string): Promise<void> {
  try {
    await using file = await openFile(path);
    if (flock(file.fd, "exclusive") === "done") rmSync(path, { force: true });
  } catch (error) {
    // Whoever wrote it has just finished with it.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
  }
}

/** Returns the longest that earlier runs have left of a blob's start, in any of some directories. */
export function heldStartIn(
  directories: readonly string[],
  { digest, size }: Descriptor,
): HeldStart | undefined {
  if (size === undefined) return undefined;
  let longest: { readonly path: string; readonly size: number } | undefined;
  for (const path of directories.flatMap((directory) => partsOf(directory, digest))) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile() || found.size >= size) continue;
    if (found.size > (longest?.size ?? 0)) longest = { path, size: found.size };
  }
  if (longest === undefined) return undefined;
  const { path, size: held } = longest;
  return { size: held, open: () => rangeOf(path, held) };
}

/** What another run may add to the file meanwhile does not count. */
async function* rangeOf(path: string, size: number): AsyncGenerator<Uint8Array> {
  await using file = await openPart(path);
  yield* rangeStream(file, { path, offset: 0, size });
}

/** Another run may have finished with a part, which then is as good as wrong: the blob is read as a whole. */
async function openPart(path: string): Promise<FileHandle> {
  try {
    return await openFile(path);
  } catch (error) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
    throw new Failure("corrupt", `${path} is not there any more`, { cause: error });
  }
}
