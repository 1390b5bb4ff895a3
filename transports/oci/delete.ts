// Delete: taking an image out of an OCI layout, with the blobs that no other image there needs.

import { existsSync, rmSync } from "node:fs";
import type { Digest } from "../../core/content/digest.ts";
import { parseDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType, parseManifest } from "../../core/manifest/manifest.ts";
import { tryLockDirectory } from "../shared/directory-lock.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { type LayoutIndex, selectEntry, withoutEntry } from "./index-json.ts";
import { Layout } from "./layout.ts";
import type { OciName } from "./name.ts";

/** Lists within lists end somewhere, and images share most of what they have. */
const depthLimit = 8;
const blobLimit = 100_000;

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
    const { position } = selectEntry(index, name.wanted);
    const left = withoutEntry(index, position);
    unneeded = await blobsOnlyIn(index, left, layout);
    return left;
  }, "\n");
  if (layout.blobRoot !== layout.ownBlobs) return;
  if (claim === "held") {
    context.log.warn(`Keeping the blobs of ${name.text}, another process is writing to the layout`);
    return;
  }
  for (const digest of unneeded) rmSync(layout.blobPath(digest), { force: true });
}

async function blobsOnlyIn(
  before: LayoutIndex,
  after: LayoutIndex,
  layout: Layout,
): Promise<readonly Digest[]> {
  const needed = await blobsOf(after, layout);
  return [...(await blobsOf(before, layout))].filter((digest) => !needed.has(digest));
}

/** Returns everything that images of an index consist of. */
async function blobsOf({ entries }: LayoutIndex, layout: Layout): Promise<ReadonlySet<Digest>> {
  const found = new Set<Digest>();
  for (const { mediaType, digest } of entries) {
    if (mediaType !== manifestTypes.oci && mediaType !== manifestTypes.ociIndex) {
      throw new Failure(
        "unsupported",
        `unsupported mediaType in index: ${JSON.stringify(mediaType)}`,
      );
    }
    await addBlobs({ digest: parseDigest(digest), mediaType, depth: 1 }, layout, found);
  }
  return found;
}

/** A manifest on the way down from the index. */
interface ReachedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly depth: number;
}

async function addBlobs(
  { digest, mediaType, depth }: ReachedManifest,
  layout: Layout,
  found: Set<Digest>,
): Promise<void> {
  if (found.has(digest)) return;
  found.add(digest);
  if (depth > depthLimit || found.size > blobLimit) {
    throw new Failure("corrupt", `Image lists in ${layout.path} are too deep or too long`);
  }
  const path = layout.blobPath(digest);
  if (!existsSync(path)) return; // A list may be kept without its images.
  const bytes = await readSmallFile(path, limits.manifestBytes);
  const manifest = parseManifest({ bytes, mediaType: guessType(bytes) ?? mediaType });
  if (manifest.kind === "list") {
    for (const instance of manifest.instances) {
      await addBlobs({ ...instance, depth: depth + 1 }, layout, found);
    }
    return;
  }
  if (manifest.config !== undefined) found.add(manifest.config.digest);
  for (const layer of manifest.layers) found.add(layer.digest);
}
