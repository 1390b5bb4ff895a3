// Zstd: on all processors, the same bytes for the same content wherever it runs.
//
// The content is cut into blocks of fixed size, and each becomes a frame of its own. Readers of zstd take
// frames in a row for one content. See RFC 8878, 3.1.

import { inBlocks } from "./blocks.ts";
import type { ByteStream } from "./stream.ts";

/** As everybody's. */
const usualLevel = 3;

/**
 * What repeats itself over longer distances is not found. Real files come out up to a seventh larger than the
 * original's, in less processor time. Larger blocks cost memory for each processor.
 */
const blockBytes = 4 * 1024 * 1024;

/**
 * Compresses with zstd, several blocks at once. A level beyond 1 to 22 counts as the nearest.
 *
 * The same content and level give the same bytes, however the content is cut into chunks and however many
 * blocks are in work at a time.
 */
export function zstdPacked(
  bytes: ByteStream,
  level = usualLevel,
  atOnce?: number,
): AsyncGenerator<Uint8Array> {
  return inBlocks(bytes, {
    blockBytes,
    begin: (block) => zstdFrame(block.bytes, level),
    atOnce,
  });
}

/** What is smaller is compressed before another thread would have begun. */
const smallBytes = 8 * 1024;

/** Returns content as one zstd frame, made beside the main thread unless it is small. */
export async function zstdFrame(content: Uint8Array, level = usualLevel): Promise<Uint8Array> {
  const options = { level: Math.min(Math.max(level, 1), 22) };
  return content.length < smallBytes
    ? Bun.zstdCompressSync(content, options)
    : await Bun.zstdCompress(content, options);
}
