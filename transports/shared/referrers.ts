// Referrers: manifests that say which other manifest they are about, as an index lists them.

import { type Digest, digestAlgorithm, digestHex } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { emptyConfig } from "../../core/content/empty-config.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { RawManifest, Referrer } from "../../core/image/source.ts";
import {
  encodeJsonBytes,
  isJsonObject,
  type JsonObject,
  parseStrictJson,
} from "../../core/json.ts";
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
  return (
    listed === undefined || listed === "" || listed === emptyConfig.mediaType || listed === wanted
  );
}

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

/** Returns the entry by which an index lists a referrer, with what it says of itself. */
export function referrerEntry({ manifest, artifactType }: Referrer): JsonObject {
  const { mediaType, digest, bytes } = manifest;
  const annotations = manifestMembers(bytes)["annotations"];
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(isJsonObject(annotations) && { annotations }),
    artifactType,
  };
}

/**
 * Returns an index of referrers with these in it; undefined if all of them are there. Whatever else is there
 * stays as it is. `where` is what messages call it.
 *
 * Fails with `unsupported` if it is no index, or would become too large.
 */
export function withReferrers(
  found: RawManifest | undefined,
  referrers: readonly Referrer[],
  where: string,
): Uint8Array | undefined {
  if (found !== undefined && found.mediaType !== manifestTypes.ociIndex) {
    throw new Failure("unsupported", `${where} is no index but of type ${quoted(found.mediaType)}`);
  }
  const index = found === undefined ? {} : manifestMembers(found.bytes);
  const listed = index["manifests"] ?? [];
  if (!Array.isArray(listed)) throw new Failure("unsupported", `${where} lists nothing`);
  const known = new Set(listed.map((each) => (isJsonObject(each) ? each["digest"] : undefined)));
  const added = referrers.filter(({ manifest }) => !known.has(manifest.digest));
  if (added.length === 0) return undefined;
  const next = encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.ociIndex,
    ...index,
    manifests: [...listed, ...added.map(referrerEntry)],
  });
  if (next.length <= limits.manifestBytes) return next;
  throw new Failure("unsupported", `There is no room for more referrers in ${where}`);
}

/** Returns what a manifest says, unchecked. Fails with `corrupt` if it says nothing at all. */
export function manifestMembers(bytes: Uint8Array): JsonObject {
  const json = parseStrictJson(bytes);
  if (isJsonObject(json)) return json;
  throw new Failure("corrupt", "A manifest is no JSON object");
}
