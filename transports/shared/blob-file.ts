// Blob file: a blob on its way into the file that is named for its digest.

import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { OutgoingBlob, StoredBlob } from "../../core/image/destination.ts";
import { NewFile } from "./new-file.ts";

/** Where a blob grows, and where it belongs. */
export interface BlobPlace {
  /** On the file system of where it belongs. */
  readonly workshop: string;
  /** Returns the path of a finished blob, in a directory that exists. */
  pathOf(digest: Digest): string;
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
  await using file = await NewFile.create(
    place.workshop,
    blob.digest === undefined ? undefined : place.pathOf(blob.digest),
    blob.size,
  );
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
  return { digest, size, by: "sending" };
}
