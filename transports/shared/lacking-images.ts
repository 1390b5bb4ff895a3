// Lacking images: whether those of a list are where the list is.

import type { Digest } from "../../core/content/digest.ts";
import { isListType } from "../../core/content/media-types.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { effectiveType, parseManifest } from "../../core/manifest/manifest.ts";

/**
 * Returns what a glance has to say of the images of a list that is kept beside them: whether any is missing.
 * Nothing, of what is no list.
 */
export function lackingImages(
  raw: RawManifest,
  has: (image: Digest) => boolean,
): { readonly lacksImages?: boolean } {
  if (!isListType(effectiveType(raw))) return {};
  const list = parseManifest(raw);
  return {
    lacksImages: list.kind !== "list" || !list.instances.every(({ digest }) => has(digest)),
  };
}
