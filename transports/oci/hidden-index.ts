// The hidden index: what a layout holds about an image without listing it.
//
// Other programs read a layout without being told a name if it has one entry, as `podman load` reads archives. So
// what they would not miss stands in an index of its own, to which an annotation of the image's entry leads.

import { collect } from "../../core/blob/collect.ts";
import { verified } from "../../core/blob/verify.ts";
import { type Digest, digestOf, isDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import {
  emptyIndex,
  encodeIndex,
  hiddenIndexOf,
  type IndexEntry,
  isArtifact,
  type LayoutIndex,
  parseIndex,
  withHiddenIndex,
} from "./index-json.ts";
import type { BlobReader, LayoutBlobs } from "./layout-blobs.ts";

/**
 * Returns the index together with what is hidden behind the entries with these digests. Whatever others have
 * cleared away is not there.
 */
export async function withHiddenEntries(
  index: LayoutIndex,
  of: readonly Digest[],
  reader: BlobReader,
): Promise<LayoutIndex> {
  const hidden = await hiddenEntries(index, of, reader);
  return hidden.length === 0 ? index : { ...index, entries: [...index.entries, ...hidden] };
}

async function hiddenEntries(
  { entries }: LayoutIndex,
  of: readonly string[],
  reader: BlobReader,
): Promise<readonly IndexEntry[]> {
  const own = entries.filter(({ digest }) => of.includes(digest));
  const found: IndexEntry[] = [];
  for (const digest of new Set(own.flatMap((entry) => hiddenIndexOf(entry) ?? []))) {
    if (!isDigest(digest) || !reader.hasBlob(digest)) continue;
    const stored = verified({ mediaType: manifestTypes.ociIndex, digest })(reader.openBlob(digest));
    const { entries: hidden } = parseIndex(await collect(stored, limits.manifestBytes));
    found.push(...hidden.filter(isArtifact));
  }
  return found;
}

/** What is to be hidden behind an image, and what that replaces there. */
export interface HiddenChange {
  /** Of the image that the index lists. */
  readonly image: Digest;
  readonly added: readonly IndexEntry[];
  readonly replaced: ReadonlySet<string>;
}

/** Returns the index with more hidden behind an image, besides what is. */
export async function withHidden(
  index: LayoutIndex,
  { image, added, replaced }: HiddenChange,
  { reader, put }: LayoutBlobs,
): Promise<LayoutIndex> {
  if (added.length === 0) return index;
  const before = await hiddenEntries(index, [image], reader);
  const gone = new Set([...replaced, ...added.map(({ digest }) => digest)]);
  const entries = [...before.filter(({ digest }) => !gone.has(digest)), ...added];
  const bytes = encodeIndex({ ...emptyIndex, entries });
  if (bytes.length > limits.manifestBytes) {
    throw new Failure("unsupported", `There is no room for more that is about ${image}`);
  }
  const hidden = { mediaType: manifestTypes.ociIndex, digest: digestOf(bytes), bytes };
  await put(hidden);
  return withHiddenIndex(index, image, hidden.digest);
}
