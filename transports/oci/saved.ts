// Saved layouts: what `cosign save` leaves in a layout without listing it.
//
// Since its version 3 it writes bundles beside the blobs of the image, and finds them again by looking at all of
// them.

import { type Digest, isDigest } from "../../core/content/digest.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { Failure } from "../../core/failure.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { manifestMembers } from "../shared/referrers.ts";
import { artifactEntry, type IndexEntry, isSavedByCosign, type LayoutIndex } from "./index-json.ts";

/** The blobs of a layout that may be manifests. */
export interface SavedBlobs {
  /** Returns the digests of blobs that have no more than so many bytes. */
  smallBlobs(limitBytes: number): readonly Digest[];
  readManifest(digest: Digest): Promise<Uint8Array>;
}

/** Returns the index of a layout that cosign has saved, together with artifacts about a manifest; any other as it is. */
export async function withSavedEntries(
  index: LayoutIndex,
  about: Digest,
  blobs: SavedBlobs,
): Promise<LayoutIndex> {
  if (!isSavedByCosign(index)) return index;
  const found: IndexEntry[] = [];
  for (const digest of blobs.smallBlobs(limits.savedManifestBytes).slice(0, limits.savedBlobs)) {
    const bytes = Buffer.from(await blobs.readManifest(digest));
    // Most of them are configs and bundles.
    const artifactType = bytes.includes(about) ? artifactTypeIn(bytes, about) : undefined;
    if (artifactType === undefined) continue;
    const entry = { mediaType: manifestTypes.oci, digest, size: bytes.length, artifactType };
    found.push(artifactEntry(entry, about));
  }
  return { ...index, entries: [...index.entries, ...found] };
}

/** Returns what an artifact about a manifest is; undefined if it is none. */
function artifactTypeIn(bytes: Uint8Array, about: Digest): string | undefined {
  const { subject = null, config = null, artifactType } = membersOf(bytes);
  const digest = textIn(subject, "digest");
  if (digest === undefined || !isDigest(digest) || digest !== about) return undefined;
  return typeof artifactType === "string" ? artifactType : textIn(config, "mediaType");
}

function membersOf(bytes: Uint8Array): JsonObject {
  try {
    return manifestMembers(bytes);
  } catch (error) {
    // A small layer, for instance.
    if (error instanceof Failure) return {};
    throw error;
  }
}

function textIn(value: Json, name: string): string | undefined {
  const text = isJsonObject(value) ? value[name] : undefined;
  return typeof text === "string" ? text : undefined;
}
