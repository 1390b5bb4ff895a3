// Frozen: why a manifest must stay as it is.

import { digestAlgorithm } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import type { RawManifest } from "../image/source.ts";
import { manifestDigest } from "../manifest/manifest.ts";

/** What may keep a manifest from being changed. */
export interface FrozenInput {
  readonly writer: ImageDestination;
  readonly request: { readonly preserveDigests: boolean };
  /** Whether signatures or bundles travel with the manifest. */
  readonly signed: boolean;
  /** What to say where it is the signatures. */
  readonly invalidating: string;
}

/** Returns why a manifest must stay as it is, in words, or undefined if it may change. */
export function whyFrozen(input: FrozenInput): string | undefined {
  if (input.request.preserveDigests) return preserving;
  if (input.writer.name.digest !== undefined) return destinationPins;
  if (input.signed) return input.invalidating;
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
    `Digest of source image's manifest would not match destination reference: the source has ${digests.join(" in ")}, the destination is to have ${pinned}`,
    { hint: thawing(destinationPins) },
  );
}

/**
 * Returns the failure of a copy that would change what must stay. `what` is the original's sentence, which
 * ends with the reason, and `change` says what would change and why.
 */
export function wouldChange(what: string, change: string, frozenBecause: string): Failure {
  return new Failure("unsupported", `${what}: ${change}`, { hint: thawing(frozenBecause) });
}

/** Returns what to do so that a manifest may change. */
function thawing(frozenBecause: string): string {
  switch (frozenBecause) {
    case preserving:
      return "to let digests change, leave out --preserve-digests";
    case destinationPins:
      return "to let the digest change, name the destination by a tag";
    default:
      return "to copy without signatures that would not fit any more, add --remove-signatures, or --remove-list-signatures if it is those of the list";
  }
}

const preserving = "Instructed to preserve digests";
const destinationPins = "Destination specifies a digest";
