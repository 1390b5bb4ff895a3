// Reachable blobs: what the images of an index consist of.

import { type Digest, parseDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import { guessType, parseManifest } from "../../core/manifest/manifest.ts";
import { hiddenIndexOf, type LayoutIndex } from "./index-json.ts";

/** Lists within lists end somewhere, and images share most of what they have. */
const depthLimit = 8;
const blobLimit = 100_000;

/** Returns the bytes of a manifest; undefined where a list is kept without that image. */
export type ManifestReader = (digest: Digest) => Promise<Uint8Array | undefined>;

/**
 * Returns the blobs that images of `before` consist of, and none of `after`.
 *
 * Fails with `unsupported` if an index has entries that are no OCI images, in the original's words, and
 * with `corrupt` if lists are too deep.
 */
export async function blobsOnlyIn(
  before: LayoutIndex,
  after: LayoutIndex,
  read: ManifestReader,
): Promise<readonly Digest[]> {
  const needed = await blobsOf(after, read);
  return [...(await blobsOf(before, read))].filter((digest) => !needed.has(digest));
}

async function blobsOf(
  { entries }: LayoutIndex,
  read: ManifestReader,
): Promise<ReadonlySet<Digest>> {
  const found = new Set<Digest>();
  for (const entry of entries) {
    const { mediaType, digest } = entry;
    if (mediaType !== manifestTypes.oci && mediaType !== manifestTypes.ociIndex) {
      throw new Failure(
        "unsupported",
        `unsupported mediaType in index: ${JSON.stringify(mediaType)}`,
      );
    }
    await addBlobs({ digest: parseDigest(digest), mediaType, depth: 1 }, read, found);
    const hidden = hiddenIndexOf(entry);
    if (hidden === undefined) continue;
    const index = { digest: parseDigest(hidden), mediaType: manifestTypes.ociIndex, depth: 1 };
    await addBlobs(index, read, found);
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
  read: ManifestReader,
  found: Set<Digest>,
): Promise<void> {
  if (found.has(digest)) return;
  found.add(digest);
  if (depth > depthLimit || found.size > blobLimit) {
    throw new Failure("corrupt", "Image lists are too deep or too long");
  }
  const bytes = await read(digest);
  if (bytes === undefined) return;
  const manifest = parseManifest({ bytes, mediaType: guessType(bytes) ?? mediaType });
  if (manifest.kind === "list") {
    for (const instance of manifest.instances) {
      await addBlobs({ ...instance, depth: depth + 1 }, read, found);
    }
    return;
  }
  if (manifest.config !== undefined) found.add(manifest.config.digest);
  for (const layer of manifest.layers) found.add(layer.digest);
}
