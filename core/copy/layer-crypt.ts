// Layer encryption in a copy: which layers are encrypted or decrypted, and for whom.

import type { KeyOpening, KeyWrapping } from "../blob/key-wrapping.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { isEncryptedType } from "../content/encrypted-layer.ts";
import { Failure } from "../failure.ts";
import type { CompressionWish } from "./compression-wish.ts";

/** What a copy shall do about the encryption of layers. */
export type CryptWish =
  | {
      readonly kind: "encrypt";
      /** For whom; one for each kind of recipient. */
      readonly wrappings: readonly KeyWrapping[];
      /** Positions, base first, or from the end where they are negative; empty: all. */
      readonly layers: readonly number[];
    }
  | { readonly kind: "decrypt"; readonly openings: readonly KeyOpening[] };

/**
 * Returns which layers change. What is encrypted already is not encrypted again. Fails with `usage` if a
 * layer is meant that the image does not have.
 */
export function cryptedLayers(
  layers: readonly Descriptor[],
  wish: CryptWish | undefined,
): ReadonlySet<Digest> {
  if (wish === undefined) return new Set();
  const encrypted = layers.filter(({ mediaType }) => isEncryptedType(mediaType));
  if (wish.kind === "decrypt") return new Set(encrypted.map(({ digest }) => digest));
  const meant = wish.layers.length === 0 ? [...layers.keys()] : wish.layers;
  const chosen = meant.map((position) => layerAt(layers, position));
  return new Set(chosen.filter((each) => !encrypted.includes(each)).map(({ digest }) => digest));
}

function layerAt(layers: readonly Descriptor[], position: number): Descriptor {
  const layer = layers.at(position);
  if (layer !== undefined) return layer;
  throw new Failure(
    "usage",
    `when choosing layers to encrypt, layer index ${position} out of range (${layers.length} layers exist)`,
  );
}

/**
 * Returns how layers are compressed that may be encrypted after that, and what the user should know about
 * it. Fails with `unsupported` where the user insists on what makes no sense.
 */
export function compressionBefore(
  crypt: CryptWish | undefined,
  compression: CompressionWish | undefined,
): { readonly compression: CompressionWish | undefined; readonly warning?: string } {
  const { format, exclusive } = compression ?? {};
  if (crypt?.kind !== "encrypt" || format !== "zstd:chunked") return { compression };
  if (exclusive === true) {
    throw new Failure(
      "unsupported",
      "explicitly requested to combine zstd:chunked with encryption, which is not beneficial; use plain zstd instead",
    );
  }
  return {
    compression: { ...compression, format: "zstd", exclusive: false },
    warning:
      "Compression using zstd:chunked is not beneficial for encrypted layers, using plain zstd instead",
  };
}
