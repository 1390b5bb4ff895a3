// Presence: images that the destination has as they are.

import { effectiveType } from "../manifest/manifest.ts";
import type { AdmittedImage, Candidate } from "../trust/gate.ts";
import { bundlesTravel } from "./bundles.ts";
import type { CopyRequest } from "./request.ts";

/** An admitted image that may be there already. */
export interface PerhapsPresent {
  readonly candidate: Candidate;
  readonly image: AdmittedImage;
}

/**
 * Tells whether the destination has an image, byte for byte, so that it need not be copied; and tells
 * whoever listens. `instance` says that it is one of a list's images.
 *
 * Signatures and bundles that have to travel, signatures to be made, and everything that may change the image, are reasons to
 * copy.
 */
export async function isThere(
  { candidate, image }: PerhapsPresent,
  request: CopyRequest,
  instance = false,
): Promise<boolean> {
  const { isPresent, signatures, tell } = request;
  if (isPresent === undefined || changes(request, effectiveType(image.manifest))) return false;
  const seeking = signatures !== "remove";
  if (seeking && (await candidate.signatures()).length > 0) return false;
  if (!(await isPresent(image.digest, instance))) return false;
  if (seeking && (await bundlesTravel(candidate, request))) return false;
  if (seeking) tell({ kind: "signatures-sought", of: "image" });
  tell({ kind: "image-present" });
  return true;
}

/** Tells whether a copy of an image of this type may come out as something else, or with more. */
export function changes(
  request: Pick<CopyRequest, "format" | "compression" | "crypt" | "signing">,
  mediaType: string,
): boolean {
  const { format, compression, crypt, signing } = request;
  if (format !== undefined && format !== mediaType) return true;
  return [compression, crypt, signing].some((wish) => wish !== undefined);
}
