// Packing: compressing in a format that was asked for by its name.

import type { WrittenFormat } from "../content/media-types.ts";
import type { Stage } from "./stream.ts";

/** How content is to be compressed. */
export interface PackingWish {
  readonly format: WrittenFormat;
  /** In the format's own numbers; absent: the format's usual one. */
  readonly level?: number | undefined;
  /** Is told what the manifest has to say of content that was compressed to its end; mostly nothing. */
  readonly annotate: (annotations: Readonly<Record<string, string>>) => void;
}

/**
 * Returns the stage that compresses. The same content, format and level give the same bytes, however the
 * content is cut into chunks and however many processors there are. Fails with `usage` on a level that the
 * format does not have.
 */
export async function packing({ format, level, annotate }: PackingWish): Promise<Stage> {
  // Loaded only where it is needed: the runtime's zlib costs more than all of our code.
  switch (format) {
    case "gzip": {
      const { checkGzipLevel, gzipped } = await import("./gzip.ts");
      checkGzipLevel(level);
      return (bytes) => gzipped(bytes, level);
    }
    case "zstd": {
      const { zstdPacked } = await import("./zstd.ts");
      return (bytes) => zstdPacked(bytes, level);
    }
    case "zstd:chunked": {
      const { zstdChunked } = await import("./zstd-chunked.ts");
      return (bytes) => zstdChunked(bytes, { level, annotate });
    }
  }
}
