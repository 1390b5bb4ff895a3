// The making: from what and how an image was made that is not what it was, so that nobody has to make it again.

import type { Digest } from "../content/digest.ts";
import type { ImageDestination } from "../image/destination.ts";
import type { RawManifest } from "../image/source.ts";
import { manifestDigest } from "../manifest/manifest.ts";

/** Says what was made by a recipe of what a source's name leads to: an image, or a list. */
export function makingOf(source: Digest, recipe: string): string {
  return `${source} by ${recipe}`;
}

/** Notes the making of what was written, if it is something else than what the source's name leads to. */
export function noteMaking(
  writer: ImageDestination,
  written: RawManifest,
  { top, recipe }: { readonly top: RawManifest; readonly recipe?: string | undefined },
): void {
  const source = manifestDigest(top.bytes);
  if (recipe === undefined || manifestDigest(written.bytes) === source) return;
  writer.noteMaking?.(makingOf(source, recipe));
}
