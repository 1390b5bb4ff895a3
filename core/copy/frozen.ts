// Frozen: why a manifest must stay as it is.

import { digestAlgorithm } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import type { RawManifest, Signature } from "../image/source.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { CopyRequest } from "./request.ts";

/** What may keep a manifest from being changed. */
export interface FrozenInput {
  readonly writer: ImageDestination;
  readonly request: CopyRequest;
  /** The signatures that travel with the manifest. */
  readonly signatures: readonly Signature[];
  /** What to say where it is the signatures. */
  readonly invalidating: string;
}

/** Returns why a manifest must stay as it is, in words, or undefined if it may change. */
export function whyFrozen(input: FrozenInput): string | undefined {
  if (input.request.preserveDigests) return "Instructed to preserve digests";
  if (input.writer.name.digest !== undefined) return "Destination specifies a digest";
  if (input.signatures.length > 0) return input.invalidating;
  return undefined;
}

/**
 * Checks that what is about to be written is what the destination's name pins, if it pins a digest.
 *
 * `manifests` are those that would do: the image's, and that of the list it was chosen from.
 */
export function checkPinned(writer: ImageDestination, manifests: readonly RawManifest[]): void {
  const pinned = writer.name.digest;
  if (pinned === undefined) return;
  const digests = manifests.map(({ bytes }) => manifestDigest(bytes, digestAlgorithm(pinned)));
  if (digests.includes(pinned)) return;
  throw new Failure(
    "unsupported",
    "Digest of source image's manifest would not match destination reference",
    { hint: `the source has digest ${digests.join(" in ")}` },
  );
}
