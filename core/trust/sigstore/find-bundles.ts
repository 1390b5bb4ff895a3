// Finding bundles: those that say that they are about an image.

import { isDigest } from "../../content/digest.ts";
import type { Descriptor } from "../../content/descriptor.ts";
import { asFailure, Failure } from "../../failure.ts";
import type { RawManifest } from "../../image/source.ts";
import { isJsonObject, type Json, parseStrictJson } from "../../json.ts";
import { limits } from "../../limits.ts";
import type { Candidate } from "../gate.ts";
import { bundleType } from "./bundle.ts";

/** Returns all bundles about an image. Fails with `corrupt` if one is not what was promised. */
export async function findBundles(candidate: Candidate): Promise<readonly Uint8Array[]> {
  const found = await promised(candidate);
  const bundles: Uint8Array[] = [];
  let total = 0;
  for (const blob of found) {
    const bundle = await candidate.look(blob, limits.signatureBytes);
    total += bundle.length;
    if (total > limits.signaturesBytes) throw new Failure("corrupt", "Too many Sigstore bundles");
    bundles.push(bundle);
  }
  return bundles;
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

async function promised(candidate: Candidate): Promise<readonly Descriptor[]> {
  const digest = await candidate.digest();
  const referrers = await candidate.referrers(bundleType);
  return referrers.flatMap((raw) => bundleIn(raw, digest) ?? []);
}

/** Returns the bundle that a manifest leads to; undefined if it is about something else, or none. */
function bundleIn({ bytes }: RawManifest, digest: string): Descriptor | undefined {
  const manifest = parsed(bytes);
  if (!isJsonObject(manifest)) return undefined;
  const { subject, config, layers } = manifest;
  const type = manifest["artifactType"] ?? memberIn(config ?? null, "mediaType");
  if (type !== bundleType || memberIn(subject ?? null, "digest") !== digest) return undefined;
  const [layer = null, ...more] = Array.isArray(layers) ? layers : [];
  const blob = memberIn(layer, "digest");
  const size = memberIn(layer, "size");
  if (more.length > 0 || typeof blob !== "string" || !isDigest(blob) || !Number.isSafeInteger(size))
    return undefined;
  return { mediaType: bundleType, digest: blob, size: Number(size) };
}

function parsed(bytes: Uint8Array): Json {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

function memberIn(value: Json, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
