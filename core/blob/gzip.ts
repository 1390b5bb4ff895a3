// Gzip: on all processors, the same bytes for the same content wherever it runs.
//
// The content is cut into blocks of fixed size. Each is deflated by itself, with the end of the block
// before it as its dictionary; sync flushes make one stream of them.

import { constants, crc32, deflateRaw } from "node:zlib";

import { Failure } from "../failure.ts";
import { type Block, inBlocks } from "./blocks.ts";
import type { ByteStream } from "./stream.ts";

/** Where the original's own compression stands: as small, and about as fast. */
const usualLevel = 4;
/** What the original calls so: nothing is looked for, only frequent bytes become short. */
const huffmanOnly = -2;

const blockBytes = 256 * 1024;
/** How much the runtime collects before it begins a new piece of a deflated block. */
const outputBytes = 64 * 1024;
/** How far back deflate can look. */
const windowBytes = 32 * 1024;
/** So much of a block tells whether it can be compressed at all. */
const probeBytes = 16 * 1024;

/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing that varies. */
const header = new Uint8Array([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff]);

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
  let dictionary: Uint8Array | undefined;
  const begin = (block: Block): Promise<Uint8Array> => {
    checksum = crc32(block.bytes, checksum);
    size += block.bytes.length;
    const before = dictionary;
    dictionary = block.bytes.slice(Math.max(0, block.bytes.length - windowBytes));
    return compressed(block, { level: level === -1 ? usualLevel : level, dictionary: before });
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
  readonly dictionary: Uint8Array | undefined;
}

/** Deflates a block, or stores it where its start shows that deflating would gain nothing. */
async function compressed(block: Block, deflation: Deflation): Promise<Uint8Array> {
  const probe = block.bytes.subarray(0, probeBytes);
  const { length } = await deflated({ bytes: probe, last: true }, { ...deflation, level: 1 });
  const gains = length < probe.length - probe.length / 64 || probe.length < probeBytes;
  return await deflated(block, gains ? deflation : { ...deflation, level: 0 });
}

function deflated({ bytes, last }: Block, { level, dictionary }: Deflation): Promise<Uint8Array> {
  const options = {
    ...(level === huffmanOnly ? { strategy: constants.Z_HUFFMAN_ONLY } : { level }),
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    chunkSize: outputBytes,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, options, (error, result) => {
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
