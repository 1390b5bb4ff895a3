// Delete: taking an image out of an OCI layout, with what is about it and the blobs that no other needs.

import { existsSync, rmSync, statSync } from "node:fs";
import { type Digest, isDigest } from "../../core/content/digest.ts";
import type { Deletion } from "../../core/image/deletion.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { tryLockDirectory } from "../shared/directory-lock.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { withoutSignatures } from "./attachments.ts";
import { type LayoutIndex, selectEntry, withoutEntry } from "./index-json.ts";
import { Layout } from "./layout.ts";
import type { OciName } from "./name.ts";
import { blobsOnlyIn } from "./reachable.ts";
import { withoutReferrers } from "./referrers.ts";

/**
 * Deletes an image from a layout. Fails with `not-found` if it is not there.
 *
 * The entry goes first, then the blobs: whatever happens in between, no image lacks a blob. Blobs in a
 * directory that layouts share always stay, and while somebody writes into the layout all of them do.
 */
export async function deleteImage(name: OciName, context: TransportContext): Promise<void> {
  const layout = new Layout(name.path, context);
  // Without an index there is nothing to delete from, and none is to be made.
  await layout.readIndex();
  const claim = existsSync(layout.ownBlobs)
    ? await tryLockDirectory(layout.ownBlobs)
    : "unavailable";
  await using _ = typeof claim === "object" ? claim : undefined;
  let unneeded: readonly Digest[] = [];
  // The original ends the file with a line break here, and only here.
  await layout.changeIndex(async (index) => {
    const taken = await withoutImage(index, name, layout);
    unneeded = taken.unneeded;
    return taken.left;
  }, "\n");
  if (layout.blobRoot !== layout.ownBlobs) return;
  if (claim === "held") {
    context.log.warn(`Keeping the blobs of ${name.text}, another process is writing to the layout`);
    return;
  }
  for (const digest of unneeded) rmSync(layout.blobPath(digest), { force: true });
}

/** Returns what `deleteImage` would take away. Nothing is changed, and no lock is held. */
export async function planDeletion(name: OciName, context: TransportContext): Promise<Deletion> {
  const layout = new Layout(name.path, context);
  const { digest, unneeded } = await withoutImage(await layout.readIndex(), name, layout);
  const own = layout.blobRoot === layout.ownBlobs;
  const blobs = own ? unneeded.filter((blob) => existsSync(layout.blobPath(blob))) : [];
  return {
    ...(isDigest(digest) && { digest }),
    removals: blobs.map((blob) => ({
      kind: "blob",
      name: blob,
      size: statSync(layout.blobPath(blob)).size,
    })),
    notes: own ? [] : ["blobs in a directory that layouts share stay"],
  };
}

interface Taken {
  /** Of the image that is taken out, in the words of the index. */
  readonly digest: string;
  readonly left: LayoutIndex;
  /** Blobs that no other image needs. */
  readonly unneeded: readonly Digest[];
}

async function withoutImage(index: LayoutIndex, name: OciName, layout: Layout): Promise<Taken> {
  const { position, entry } = selectEntry(index, name.wanted);
  const read = (digest: Digest) => readManifest(digest, layout);
  const others = withoutEntry(index, position);
  const gone = await blobsOnlyIn(index, others, read);
  const left = await withoutReferrers(withoutSignatures(others, gone), gone, read);
  return { digest: entry.digest, left, unneeded: await blobsOnlyIn(index, left, read) };
}

async function readManifest(digest: Digest, layout: Layout): Promise<Uint8Array | undefined> {
  const path = layout.blobPath(digest);
  return existsSync(path) ? readSmallFile(path, limits.manifestBytes) : undefined;
}
