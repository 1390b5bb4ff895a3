// Referrers: what a layout holds about an image, such as bundles with signatures.

import { type Digest, isDigest } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { isJsonObject } from "../../core/json.ts";
import {
  isPossible,
  manifestMembers,
  possibleReferrers,
  readListed,
  referrersTag,
} from "../shared/referrers.ts";
import { type IndexEntry, isArtifact, type LayoutIndex, subjectOf } from "./index-json.ts";

/** Reads manifests of a layout. */
export interface ManifestReader {
  readManifest(digest: Digest): Promise<Uint8Array>;
}

/** What is looked for. */
export interface ReferrersWish {
  /** Of the manifest that they are to be about. */
  readonly digest: Digest;
  readonly artifactType: string;
}

/** Reads manifests that may be about another one: those listed under its tag, and what has no name. */
export async function readReferrers(
  { entries }: LayoutIndex,
  { digest, artifactType }: ReferrersWish,
  reader: ManifestReader,
): Promise<readonly RawManifest[]> {
  const read = async (each: Digest): Promise<RawManifest> => ({
    bytes: await reader.readManifest(each),
    mediaType: manifestTypes.oci,
  });
  const tag = referrersTag(digest);
  const list = entries.find(({ name, mediaType }) => name === tag && isIndex(mediaType));
  const tagged =
    list === undefined || !isDigest(list.digest)
      ? []
      : possibleReferrers(await read(list.digest), artifactType);
  const nameless = entries.flatMap((entry) => {
    const about = subjectOf(entry);
    return about === undefined || about === digest ? (referrerIn(entry, artifactType) ?? []) : [];
  });
  const all = new Map([...tagged, ...nameless].map((each) => [each.digest, each]));
  return readListed([...all.values()], read);
}

function isIndex(mediaType: string): boolean {
  return mediaType === manifestTypes.ociIndex;
}

/** Images have no artifact type, and most of what stands in an index is an image. */
function referrerIn(entry: IndexEntry, wanted: string): Descriptor | undefined {
  const { mediaType, digest, json } = entry;
  const listed = json["artifactType"];
  if (!isArtifact(entry) || typeof listed !== "string" || !isPossible(listed, wanted)) {
    return undefined;
  }
  return mediaType === manifestTypes.oci && isDigest(digest) ? { mediaType, digest } : undefined;
}

/** Returns the index without what is about these manifests, and thereby about nothing any more. */
export async function withoutReferrers(
  index: LayoutIndex,
  gone: readonly Digest[],
  read: (digest: Digest) => Promise<Uint8Array | undefined>,
): Promise<LayoutIndex> {
  const subjects = new Set<unknown>(gone);
  const tags = new Set(gone.map(referrersTag));
  const entries: IndexEntry[] = [];
  for (const entry of index.entries) {
    const { name } = entry;
    if (name !== undefined && tags.has(name) && isIndex(entry.mediaType)) continue;
    if (isArtifact(entry) && subjects.has(subjectOf(entry) ?? (await readSubject(entry, read)))) {
      continue;
    }
    entries.push(entry);
  }
  return { ...index, entries };
}

async function readSubject(
  { digest }: IndexEntry,
  read: (digest: Digest) => Promise<Uint8Array | undefined>,
): Promise<unknown> {
  const bytes = isDigest(digest) ? await read(digest) : undefined;
  const { subject = null } = bytes === undefined ? {} : manifestMembers(bytes);
  return isJsonObject(subject) ? subject["digest"] : undefined;
}
