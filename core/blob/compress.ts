// Compression: gzip on all processors, the same bytes for the same content wherever it runs.
//
// The content is cut into blocks of fixed size. Each is deflated by itself, on the runtime's thread pool,
// with the end of the block before it as its dictionary; sync flushes make one stream of them.

import { constants, crc32, deflateRaw } from "node:zlib";

import type { ByteStream } from "./stream.ts";

/** Where the original's own compression stands: as small, and about as fast. */
const defaultLevel = 4;

const blockBytes = 256 * 1024;
/** How much the runtime collects before it begins a new piece of a deflated block. */
const outputBytes = 64 * 1024;
/** How far back deflate can look. */
const windowBytes = 32 * 1024;
/** Blocks of one stream in work at a time: enough to keep a few processors busy. */
const blocksAtOnce = 3;
/** Blocks of all streams together; each stream may have one beyond that. */
const blocksTogether = 3;
/** So much of a block tells whether it can be compressed at all. */
const probeBytes = 16 * 1024;

/** Magic, deflate, no flags, no time, no extra flags, unknown system: nothing that varies. */
const header = new Uint8Array([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff]);

/** How many blocks are in the thread pool, whichever stream they are of. */
let busy = 0;

/**
 * Compresses with gzip, as one member.
 *
 * The same content and level give the same bytes, however the content is cut into chunks and however many
 * processors there are. Content that does not compress is stored. See RFC 1952.
 */
export async function* gzipped(
  bytes: ByteStream,
  level = defaultLevel,
): AsyncGenerator<Uint8Array> {
  const working: Promise<Uint8Array>[] = [];
  const blocks = new Blocks();
  let checksum = 0;
  let size = 0;
  let dictionary: Uint8Array | undefined;
  try {
    for await (const { block, last } of blocks.of(bytes)) {
      // Not before: whoever leaves at the header has to reach what feeds us.
      if (size === 0) yield header;
      checksum = crc32(block, checksum);
      size += block.length;
      const work = compressed(block, { level, dictionary, last });
      working.push(work.finally(() => blocks.free(block)));
      dictionary = block.slice(Math.max(0, block.length - windowBytes));
      while (working.length >= blocksAtOnce || (working.length > 0 && busy > blocksTogether)) {
        yield (await working.shift()) as Uint8Array;
      }
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

/** Memory for the blocks of one stream, used again and again. */
class Blocks {
  readonly #free: ArrayBuffer[] = [];

  /** Cuts a stream into blocks of the same size; only the last may be shorter, or empty. */
  async *of(bytes: ByteStream): AsyncGenerator<Block> {
    let block = this.#take();
    let filled = 0;
    for await (const chunk of bytes) {
      for (let taken = 0; taken < chunk.length;) {
        if (filled === blockBytes) {
          yield { block, last: false };
          block = this.#take();
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

  /** Gives back the memory of a block that nobody looks at any more. */
  free({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) this.#free.push(buffer);
  }

  #take(): Uint8Array {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(blockBytes));
  }
}

interface Deflation {
  readonly level: number;
  readonly dictionary?: Uint8Array | undefined;
  readonly last: boolean;
}

/** Deflates a block, or stores it where its start shows that deflating would gain nothing. */
async function compressed(block: Uint8Array, deflation: Deflation): Promise<Uint8Array> {
  busy += 1;
  try {
    const probe = block.subarray(0, probeBytes);
    const { length } = await deflated(probe, { ...deflation, level: 1, last: true });
    const gains = length < probe.length - probe.length / 64 || probe.length < probeBytes;
    return await deflated(block, gains ? deflation : { ...deflation, level: 0 });
  } finally {
    busy -= 1;
  }
}

function deflated(block: Uint8Array, { level, dictionary, last }: Deflation): Promise<Uint8Array> {
  const finishFlush = last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  const options = {
    level,
    finishFlush,
    chunkSize: outputBytes,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
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
