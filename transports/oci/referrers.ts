// Referrers: what a layout holds about an image, such as bundles with signatures.

import { type Digest, isDigest } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { isPossible, possibleReferrers, readListed, referrersTag } from "../shared/referrers.ts";
import type { IndexEntry, LayoutIndex } from "./index-json.ts";

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
  const nameless = entries.flatMap((entry) => referrerIn(entry, artifactType) ?? []);
  const all = new Map([...tagged, ...nameless].map((each) => [each.digest, each]));
  return readListed([...all.values()], read);
}

function isIndex(mediaType: string): boolean {
  return mediaType === manifestTypes.ociIndex;
}

/** Images have no artifact type, and most of what stands in an index is an image. */
function referrerIn(
  { name, mediaType, digest, json }: IndexEntry,
  wanted: string,
): Descriptor | undefined {
  const listed = json["artifactType"];
  if (name !== undefined || typeof listed !== "string" || !isPossible(listed, wanted)) {
    return undefined;
  }
  return mediaType === manifestTypes.oci && isDigest(digest) ? { mediaType, digest } : undefined;
}
