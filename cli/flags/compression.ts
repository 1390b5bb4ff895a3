// Compression flags: how the layers of a copy shall be compressed.

import type { CompressionFormat } from "../../core/content/media-types.ts";
import type { CompressionWish } from "../../core/copy/compression-wish.ts";
import { Failure } from "../../core/failure.ts";
import type { DestinationValues } from "./image.ts";

/** Returns what is said about compression; undefined if that is nothing. Fails with `usage`. */
export function compressionWish(said: DestinationValues): CompressionWish | undefined {
  const { compressFormat, compressLevel: level, forceCompressFormat: exclusive } = said;
  const format = compressFormat === undefined ? undefined : compressionFormat(compressFormat);
  if (exclusive && format === undefined) {
    throw new Failure(
      "usage",
      "cannot use ForceCompressionFormat with undefined default compression format",
      { hint: "--dest-force-compress-format needs --dest-compress-format" },
    );
  }
  if (format === undefined && level === undefined) return undefined;
  return {
    ...(format !== undefined && { format }),
    ...(level !== undefined && { level }),
    exclusive,
  };
}

const formats: readonly CompressionFormat[] = ["gzip", "bzip2", "Xz", "zstd", "zstd:chunked"];

function compressionFormat(name: string): CompressionFormat {
  const format = formats.find((each) => each === name);
  if (format !== undefined) return format;
  throw new Failure("usage", `cannot find compressor for ${JSON.stringify(name)}`, {
    hint: "formats that can be written are gzip, zstd and zstd:chunked",
  });
}
