// Referrers: manifests that say which other manifest they are about, as an index lists them.

import { type Digest, digestAlgorithm, digestHex } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest, parseManifest } from "../../core/manifest/manifest.ts";

/** Returns the tag of the index of referrers, where a registry keeps none by itself. */
export function referrersTag(digest: Digest): string {
  // Tags are not as long as digests of all kinds, so the specification cuts them.
  return `${digestAlgorithm(digest).slice(0, 32)}-${digestHex(digest).slice(0, 64)}`;
}

/**
 * Returns the entries of an index that may be of this artifact type.
 *
 * Tools write the type of the empty config in its place, so what says so may be of any.
 */
export function possibleReferrers(raw: RawManifest, artifactType: string): readonly Descriptor[] {
  const list = parseManifest({ ...raw, mediaType: manifestTypes.ociIndex });
  if (list.kind !== "list") throw new Failure("bug", "An index is no list");
  return list.instances.filter(
    (each) => each.mediaType === manifestTypes.oci && isPossible(each.artifactType, artifactType),
  );
}

/** Tells whether what is listed with this artifact type may be of the other one. */
export function isPossible(listed: string | undefined, wanted: string): boolean {
  return listed === undefined || listed === "" || listed === emptyType || listed === wanted;
}

const emptyType = "application/vnd.oci.empty.v1+json";

/** Reads listed manifests, each of which has to be what its digest promises. */
export async function readListed(
  listed: readonly Descriptor[],
  read: (digest: Digest) => Promise<RawManifest>,
): Promise<readonly RawManifest[]> {
  if (listed.length > limits.referrers) {
    throw new Failure("corrupt", `Too many referrers: ${listed.length}`);
  }
  const manifests: RawManifest[] = [];
  for (const { digest } of listed) {
    const manifest = await read(digest);
    const actual = manifestDigest(manifest.bytes, digestAlgorithm(digest));
    if (actual !== digest) {
      throw new Failure(
        "corrupt",
        `Referrer ${digest} does not match its digest, it has ${actual}`,
      );
    }
    manifests.push(manifest);
  }
  return manifests;
}
