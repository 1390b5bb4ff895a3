// Chunked layers: what annotations say of layers in the format zstd:chunked.
//
// Such a layer is zstd to everybody. Its annotations tell where in it there is a table of contents, by
// which single files can be fetched. See
// https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md

import type { Descriptor } from "./descriptor.ts";

const prefix = "io.github.containers.zstd-chunked.";

/** The names of the annotations. */
export const chunkedAnnotations = {
  tocDigest: `${prefix}manifest-checksum`,
  tocPosition: `${prefix}manifest-position`,
  tarSplitPosition: `${prefix}tarsplit-position`,
} as const;

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
