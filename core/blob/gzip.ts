// Gzip: on all processors, the same bytes for the same content wherever it runs.
//
// The content is cut into blocks of fixed size. Each is deflated by itself, with what stands before it as its
// dictionary; sync flushes make one stream of them. Noise is stored.

import { constants, crc32, deflateRaw, deflateRawSync } from "node:zlib";

import { Failure } from "../failure.ts";
import { type Block, inBlocks } from "./blocks.ts";
import { type Stretch, stretchesOf } from "./noise.ts";
import type { ByteStream } from "./stream.ts";

/** What the original calls so: nothing is looked for, only frequent bytes become short. */
const huffmanOnly = -2;

/** Smaller ones take more calls of the runtime's, each of which costs a fraction of a millisecond. */
const blockBytes = 512 * 1024;
/** How much the runtime collects before it begins a new piece of a deflated block. */
const outputBytes = 64 * 1024;
/** How far back deflate can look. */
const windowBytes = 32 * 1024;
/** What is smaller is deflated before another thread would have begun. */
const smallBytes = 8 * 1024;

/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing that varies. */
const header = new Uint8Array([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff]);
/** A last block of deflate that says only that. */
const ending = new Uint8Array([0x03, 0x00]);

/** Fails with `usage` unless it is a level: -2 to 9, where -1 is the usual one. */
export function checkGzipLevel(level = -1): void {
  if (Number.isInteger(level) && level >= huffmanOnly && level <= 9) return;
  throw new Failure("usage", `gzip: invalid compression level: ${level}`);
}

/**
 * Compresses with gzip, as one member, several blocks at once.
 *
 * The same content and level give the same bytes, however the content is cut into chunks and however many
 * blocks are in work at a time. Content that does not compress is stored. See RFC 1952.
 */
export async function* gzipped(
  bytes: ByteStream,
  level = -1,
  atOnce?: number,
): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let size = 0;
  let before: Uint8Array = new Uint8Array();
  const begin = (block: Block): Promise<Uint8Array> => {
    checksum = crc32(block.bytes, checksum);
    size += block.bytes.length;
    const dictionary = before;
    before = block.bytes.slice(Math.max(0, block.bytes.length - windowBytes));
    return compressed(block.bytes, { level, dictionary });
  };
  let begun = false;
  const work = { blockBytes, begin, atOnce };
  for await (const piece of inBlocks(bytes, work)) {
    // Not before: whoever leaves at the header has to reach what feeds us.
    if (!begun) yield header;
    begun = true;
    yield piece;
  }
  yield trailer(checksum, size);
}

interface Deflation {
  readonly level: number;
  /** What stands before, as far as it can be looked back at; may be empty. */
  readonly dictionary: Uint8Array;
}

/** Returns the next part of a stream of deflate, which ends at a whole byte. */
async function compressed(bytes: Uint8Array, deflation: Deflation): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let { dictionary } = deflation;
  for (const stretch of stretchesOf(bytes)) {
    const level = levelFor(stretch, deflation.level);
    pieces.push(
      level === 0 ? stored(stretch.bytes) : await deflated(stretch.bytes, { level, dictionary }),
    );
    dictionary = stretch.bytes.subarray(Math.max(0, stretch.bytes.length - windowBytes));
  }
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/**
 * Takes the lowest of the runtime's levels that makes content as small as the original does. The less even
 * content is, the more there is to find in it, and the more looking for it gains.
 */
function levelFor({ noise, evenness }: Stretch, level: number): number {
  if (noise) return 0;
  if (level !== -1) return level;
  if (evenness < 0.66) return 4;
  return evenness < 0.9 ? 3 : 2;
}

async function deflated(bytes: Uint8Array, { level, dictionary }: Deflation): Promise<Uint8Array> {
  const options = {
    ...(level === huffmanOnly ? { strategy: constants.Z_HUFFMAN_ONLY } : { level }),
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: outputBytes,
    ...(dictionary.length > 0 && { dictionary }),
  };
  if (bytes.length < smallBytes) return deflateRawSync(bytes, options);
  return await new Promise((resolve, reject) => {
    deflateRaw(bytes, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** What one stored block of deflate can hold, and what says so. See RFC 1951, 3.2.4. */
const storableBytes = 65_535;
const storedHeaderBytes = 5;

/** The runtime takes ten times as long for this as it takes to copy. */
function stored(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / storableBytes);
  const result = Buffer.allocUnsafeSlow(bytes.length + blocks * storedHeaderBytes);
  let written = 0;
  for (let at = 0; at < bytes.length; at += storableBytes) {
    const part = bytes.subarray(at, at + storableBytes);
    result.writeUInt8(0, written);
    result.writeUInt16LE(part.length, written + 1);
    result.writeUInt16LE(part.length ^ 0xffff, written + 3);
    result.set(part, written + storedHeaderBytes);
    written += storedHeaderBytes + part.length;
  }
  return result;
}

function trailer(checksum: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(ending.length + 8);
  bytes.set(ending);
  bytes.writeUInt32LE(checksum, ending.length);
  bytes.writeUInt32LE(size % 2 ** 32, ending.length + 4);
  return bytes;
}
