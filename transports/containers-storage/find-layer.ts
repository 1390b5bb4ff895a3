// Finding a layer: which one of a store's layers has the content of a blob.

import type { BlobInfo } from "../../core/cache/blob-info.ts";
import { chunkedAnnotations } from "../../core/content/chunked-layer.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { KeptLayer } from "./read-store.ts";
import type { LayerRecord } from "./records.ts";

/** A layer that will do, and the size of the blob. */
export interface FoundLayer {
  readonly layer: KeptLayer;
  readonly diffId: Digest;
  readonly size: number;
}

/**
 * Finds a layer whose content is that of a blob: by its digests, or by what others have seen of the blob.
 * Layers whose content nobody has checked will not do.
 */
export async function findLayer(
  wanted: Descriptor,
  layers: ReadonlyMap<string, KeptLayer>,
  blobInfo: BlobInfo | undefined,
): Promise<FoundLayer | undefined> {
  const { digest, size } = wanted;
  const all = [...layers.values()];
  const layer =
    all.find(({ record }) => isOfBlob(record, wanted)) ??
    (await findByContent(digest, all, blobInfo));
  const diffId = layer?.record.diffDigest;
  if (layer === undefined || diffId === undefined) return undefined;
  const { diffSize, compressedSize } = layer.record;
  const known = size ?? (diffId === digest ? diffSize : compressedSize);
  return known === undefined ? undefined : { layer, diffId, size: known };
}

async function findByContent(
  digest: Digest,
  layers: readonly KeptLayer[],
  blobInfo: BlobInfo | undefined,
): Promise<KeptLayer | undefined> {
  if (blobInfo === undefined) return undefined;
  const scope = { transport: "containers-storage", scope: "" };
  const candidates = await blobInfo.candidates({ scope, digest, forms: ["none"] });
  for (const { standIn } of candidates) {
    if (standIn === undefined) continue;
    const layer = layers.find(({ record }) => record.diffDigest === standIn.uncompressed);
    if (layer !== undefined) return layer;
  }
  return undefined;
}

/**
 * Tells whether a layer of a store can do for a blob, by its digest and size, or by its table of contents:
 * whether it is what the image's config names is seen before anything comes of it.
 */
export function isOfBlob(
  { diffDigest, diffSize, compressedDigest, compressedSize, tocDigest }: LayerRecord,
  { digest, size, annotations }: Pick<Descriptor, "digest" | "size" | "annotations">,
): boolean {
  const fits = (known: number | undefined) =>
    size === undefined || known === undefined || known === size;
  if (diffDigest === undefined) return false;
  return (
    (diffDigest === digest && fits(diffSize)) ||
    (compressedDigest === digest && fits(compressedSize)) ||
    (tocDigest !== undefined && annotations?.[chunkedAnnotations.tocDigest] === tocDigest)
  );
}
