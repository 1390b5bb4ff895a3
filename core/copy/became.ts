// Became: what a copy made of a manifest, in words.

import type { Descriptor } from "../content/descriptor.ts";
import type { RawManifest } from "../image/source.ts";
import { parseManifest } from "../manifest/manifest.ts";

/** Returns what makes the manifest of an image another one than it was, as an end to "because …". */
export function whatChanged(before: RawManifest, after: RawManifest): string {
  const [was, is] = [parseManifest(before), parseManifest(after)];
  if (was.mediaType !== is.mediaType) {
    return `it was converted from ${was.mediaType} to ${is.mediaType}`;
  }
  if (was.kind === "image" && is.kind === "image") {
    for (const [index, layer] of was.layers.entries()) {
      const stored = is.layers[index];
      if (stored === undefined || stored.digest === layer.digest) continue;
      return `layer ${layer.digest} ${howStored(layer, stored)}`;
    }
  }
  return "its manifest was written anew";
}

function howStored(before: Descriptor, after: Descriptor): string {
  const kinds =
    before.mediaType === after.mediaType
      ? ""
      : `, ${after.mediaType} instead of ${before.mediaType}`;
  return `is stored as ${after.digest}${kinds}`;
}
