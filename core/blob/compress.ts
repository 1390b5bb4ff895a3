// Compression: gzip on all processors, the same bytes for the same content wherever it runs.
//
// The content is cut into blocks of fixed size. Each is deflated by itself, on the runtime's thread pool,
// with the end of the block before it as its dictionary; sync flushes make one stream of them.

import { constants, crc32, deflateRaw } from "node:zlib";

import type { ByteStream } from "./stream.ts";

const blockBytes = 1024 * 1024;
/** How far back deflate can look. */
const windowBytes = 32 * 1024;
/** Blocks in work at a time: enough to keep a few processors busy, few enough to stay small. */
const blocksAtOnce = 4;

/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing that varies. */
const header = new Uint8Array([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff]);

/**
 * Compresses with gzip, as one member.
 *
 * The same content and level give the same bytes, however the content is cut into chunks and however many
 * processors there are. See RFC 1952.
 */
export async function* gzipped(bytes: ByteStream, level = 6): AsyncGenerator<Uint8Array> {
  const working: Promise<Uint8Array>[] = [];
  let checksum = 0;
  let size = 0;
  let dictionary: Uint8Array | undefined;
  try {
    for await (const { block, last } of inBlocks(bytes)) {
      // Not before: whoever leaves at the header has to reach what feeds us.
      if (size === 0) yield header;
      checksum = crc32(block, checksum);
      size += block.length;
      working.push(deflated(block, { level, dictionary, last }));
      dictionary = block.subarray(Math.max(0, block.length - windowBytes));
      if (working.length >= blocksAtOnce) yield (await working.shift()) as Uint8Array;
    }
    for (let next = working.shift(); next !== undefined; next = working.shift()) yield await next;
    yield trailer(checksum, size);
  } finally {
    // Left early: nothing of ours may still be running.
    await Promise.allSettled(working);
  }
}

interface Block {
  readonly block: Uint8Array;
  readonly last: boolean;
}

/** Cuts a stream into blocks of the same size; only the last may be shorter, or empty. */
async function* inBlocks(bytes: ByteStream): AsyncGenerator<Block> {
  let block = new Uint8Array(blockBytes);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let taken = 0; taken < chunk.length;) {
      if (filled === blockBytes) {
        yield { block, last: false };
        block = new Uint8Array(blockBytes);
        filled = 0;
      }
      const piece = chunk.subarray(taken, taken + blockBytes - filled);
      block.set(piece, filled);
      filled += piece.length;
      taken += piece.length;
    }
  }
  yield { block: block.subarray(0, filled), last: true };
}

interface Deflation {
  readonly level: number;
  readonly dictionary: Uint8Array | undefined;
  readonly last: boolean;
}

function deflated(block: Uint8Array, { level, dictionary, last }: Deflation): Promise<Uint8Array> {
  const finishFlush = last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  const options = { level, finishFlush, ...(dictionary === undefined ? {} : { dictionary }) };
  return new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

function trailer(checksum: number, size: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, checksum, true);
  bytes.setUint32(4, size % 2 ** 32, true);
  return new Uint8Array(bytes.buffer);
}
