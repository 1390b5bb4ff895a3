// Chunked layers: what annotations say of layers in the format zstd:chunked.
//
// Such a layer is zstd to everybody. Its annotations tell where in it there is a table of contents, by
// which single files can be fetched. See
// https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md

import type { Descriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";

const prefix = "io.github.containers.zstd-chunked.";

/** The names of the annotations. */
export const chunkedAnnotations = {
  tocDigest: `${prefix}manifest-checksum`,
  tocPosition: `${prefix}manifest-position`,
  tarSplitPosition: `${prefix}tarsplit-position`,
} as const;

/** What is said of a chunked layer, by the names of annotations. */
export type ChunkedAnnotations = Readonly<Record<string, string>>;

/**
 * Returns the annotations of a chunked layer among others; undefined unless all are there and shaped as
 * they have to be. Whoever follows them has to check what is found.
 */
export function chunkedAnnotationsIn(
  annotations: Readonly<Record<string, unknown>>,
): ChunkedAnnotations | undefined {
  const { tocDigest, tocPosition, tarSplitPosition } = chunkedAnnotations;
  const [toc, place, split] = [tocDigest, tocPosition, tarSplitPosition].map((name) =>
    Object.hasOwn(annotations, name) ? String(annotations[name]) : "",
  );
  if (toc === undefined || place === undefined || split === undefined) return undefined;
  const shaped =
    isDigest(toc) && /^(\d{1,15}:){3}1$/.test(place) && /^\d{1,15}(:\d{1,15}){2}$/.test(split);
  return shaped ? { [tocDigest]: toc, [tocPosition]: place, [tarSplitPosition]: split } : undefined;
}

/** Tells whether a layer says that it can be fetched file by file. */
export function isChunked({ annotations }: Descriptor): boolean {
  return annotations?.[chunkedAnnotations.tocDigest] !== undefined;
}

/** Returns annotations without those that hold only for the bytes they were made with. */
export function withoutChunked(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !name.startsWith(prefix)),
  );
}
