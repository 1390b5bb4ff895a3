// Layer IDs: what engines call a layer, by its content and by the layers below it.

import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";

/** Returns the IDs of an image's layers, base first, from the digests of their archives. */
export function layerIds(diffIds: readonly Digest[]): readonly string[] {
  const ids: string[] = [];
  for (const diffId of diffIds) {
    const parent = ids.at(-1);
    const own = digestHex(diffId);
    ids.push(parent === undefined ? own : digestHex(digestOf(encoded(`${parent}+${own}`))));
  }
  return ids;
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Returns a new short name for a layer: overlayfs takes many of them in one line. */
export function shortName(): string {
  const random = crypto.getRandomValues(new Uint8Array(26));
  return Array.from(random, (byte) => letters[byte % letters.length]).join("");
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
