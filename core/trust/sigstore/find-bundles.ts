// Finding bundles: those that say that they are about an image.

import { digestOf, isDigest } from "../../content/digest.ts";
import type { Descriptor } from "../../content/descriptor.ts";
import { emptyConfig } from "../../content/empty-config.ts";
import { isConfigType, isLayerType, manifestTypes } from "../../content/media-types.ts";
import { asFailure, Failure } from "../../failure.ts";
import type { RawManifest, Referrer, SmallBlob } from "../../image/source.ts";
import { isJsonObject, type Json, parseStrictJson } from "../../json.ts";
import { limits } from "../../limits.ts";
import { parseManifest } from "../../manifest/manifest.ts";
import type { Candidate } from "../gate.ts";
import { bundleType } from "./bundle-type.ts";

/** Returns all bundles about an image. Fails with `corrupt` if one is not what was promised. */
export async function findBundles(candidate: Candidate): Promise<readonly Uint8Array[]> {
  const bundles: Uint8Array[] = [];
  let total = 0;
  for (const { bundle } of await promised(candidate)) {
    const bytes = await candidate.look(bundle, limits.signatureBytes);
    total += bytes.length;
    if (total > limits.signaturesBytes) throw new Failure("corrupt", "Too many Sigstore bundles");
    bundles.push(bytes);
  }
  return bundles;
}

/**
 * Returns all bundles about an image as they are kept: with the manifests that lead to them, each once.
 *
 * Fails with `corrupt` if one is not what was promised.
 */
export async function bundleReferrers(candidate: Candidate): Promise<readonly Referrer[]> {
  const referrers = new Map<string, Referrer>();
  let total = 0;
  for (const { bytes, bundle, config } of await promised(candidate)) {
    const digest = digestOf(bytes);
    if (referrers.has(digest)) continue;
    const blobs: SmallBlob[] = [];
    for (const blob of [bundle, config]) blobs.push(await held(blob, candidate));
    total += blobs.reduce((sum, blob) => sum + blob.bytes.length, bytes.length);
    if (total > limits.signaturesBytes) throw new Failure("corrupt", "Too many Sigstore bundles");
    const manifest = { mediaType: manifestTypes.oci, digest, bytes };
    referrers.set(digest, { manifest, artifactType: bundleType, blobs });
  }
  return [...referrers.values()];
}

async function held(blob: Descriptor, candidate: Candidate): Promise<SmallBlob> {
  const { mediaType, digest, size } = blob;
  // What nearly all of them have for a config, and what some keep nowhere.
  const known = digest === emptyConfig.digest && size === emptyConfig.bytes.length;
  const bytes = known ? emptyConfig.bytes : await candidate.look(blob, limits.signatureBytes);
  return { mediaType, digest, bytes };
}

/**
 * Returns what is to be said of bundles that exist where a signature was wanted that names the image;
 * empty if there are none, or nobody knows.
 */
export async function bundleRemark(candidate: Candidate): Promise<string> {
  const count = await countBundles(candidate);
  if (count === 0) return "";
  return count === 1
    ? ": 1 Sigstore bundle found, which carries no image name"
    : `: ${count} Sigstore bundles found, which carry no image name`;
}

async function countBundles(candidate: Candidate): Promise<number> {
  try {
    return (await promised(candidate)).length;
  } catch (error) {
    // The image is refused in any case, and that is what counts.
    const { code } = asFailure(error);
    if (code === "canceled" || code === "bug") throw error;
    return 0;
  }
}

/** A manifest about an image, and what it leads to. */
interface PromisedBundle {
  readonly bytes: Uint8Array;
  readonly bundle: Descriptor;
  readonly config: Descriptor;
}

async function promised(candidate: Candidate): Promise<readonly PromisedBundle[]> {
  const digest = await candidate.digest();
  const referrers = await candidate.referrers(bundleType);
  return referrers.flatMap((raw) => bundleIn(raw, digest) ?? []);
}

/** Returns the bundle that a manifest leads to; undefined if it is about something else, or none. */
function bundleIn({ bytes }: RawManifest, digest: string): PromisedBundle | undefined {
  const manifest = parsed(bytes);
  if (!isJsonObject(manifest)) return undefined;
  const { subject, config = null, layers } = manifest;
  const type = manifest["artifactType"] ?? memberIn(config, "mediaType");
  if (type !== bundleType || memberIn(subject ?? null, "digest") !== digest) return undefined;
  const [layer = null, ...more] = Array.isArray(layers) ? layers : [];
  const bundle = descriptorIn(layer);
  const described = descriptorIn(config);
  if (more.length > 0 || bundle === undefined || described === undefined) return undefined;
  // What could be run would travel as an image that nobody has asked the policy about.
  if (isLayerType(bundle.mediaType) || isConfigType(described.mediaType)) return undefined;
  return { bytes, bundle: { ...bundle, mediaType: bundleType }, config: described };
}

function descriptorIn(value: Json): Descriptor | undefined {
  const digest = memberIn(value, "digest");
  const size = memberIn(value, "size");
  if (typeof digest !== "string" || !isDigest(digest) || !Number.isSafeInteger(size))
    return undefined;
  const mediaType = memberIn(value, "mediaType");
  return { mediaType: typeof mediaType === "string" ? mediaType : "", digest, size: Number(size) };
}

function parsed(bytes: Uint8Array): Json {
  try {
    // What readers of other habits would take for something else is nothing.
    parseManifest({ bytes, mediaType: manifestTypes.oci });
    return parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

function memberIn(value: Json, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
