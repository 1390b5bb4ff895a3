// Blocks: a stream in pieces of fixed size, several of them in work at a time.
//
// The work is done by the runtime's pool of threads, one for each processor. So a stream keeps all of them
// busy without workers of our own, which would cost a start and would have to be ended.

import type { ByteStream } from "./stream.ts";

/** A piece of a stream. Only the last may be shorter than the others, or empty. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** How a stream is cut and worked on. */
export interface BlockWork {
  readonly blockBytes: number;
  /** Begins the work on a block, in the order of the stream. The block is nobody's once it has ended. */
  begin(block: Block): Promise<Uint8Array>;
  /** Blocks of this stream in work at a time. */
  readonly atOnce?: number;
}

/** Enough to keep a few processors busy. */
const usuallyAtOnce = 3;
/** Blocks of all streams together; each stream may have one beyond that. */
const together = 3;

/** How many blocks are in work, whichever stream they are of. */
let busy = 0;

/**
 * Yields what becomes of the blocks of a stream, in order. There is always one block, be it empty.
 *
 * A few blocks are held at a time, of all streams together. Left early, it waits for those in work.
 */
export async function* inBlocks(bytes: ByteStream, work: BlockWork): AsyncGenerator<Uint8Array> {
  const { blockBytes, begin, atOnce = usuallyAtOnce } = work;
  const working: Promise<Uint8Array>[] = [];
  const cutter = new Cutter(blockBytes);
  const worked = async (block: Block): Promise<Uint8Array> => {
    busy += 1;
    try {
      return await begin(block);
    } finally {
      busy -= 1;
      cutter.free(block);
    }
  };
  try {
    for await (const block of cutter.cut(bytes)) {
      const result = worked(block);
      // A failure is thrown where it is waited for, which may be later.
      result.catch(() => undefined);
      working.push(result);
      while (working.length >= Math.max(atOnce, 1) || (working.length > 0 && busy > together)) {
        yield (await working.shift()) as Uint8Array;
      }
    }
    for (let next = working.shift(); next !== undefined; next = working.shift()) yield await next;
  } finally {
    // Left early: nothing of ours may still be running.
    await Promise.allSettled(working);
  }
}

/** Cuts one stream, and uses the memory of its blocks again and again. */
class Cutter {
  readonly #blockBytes: number;
  readonly #free: ArrayBuffer[] = [];

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  async *cut(stream: ByteStream): AsyncGenerator<Block> {
    let bytes = this.#take();
    let filled = 0;
    for await (const chunk of stream) {
      for (let taken = 0; taken < chunk.length;) {
        if (filled === bytes.length) {
          yield { bytes, last: false };
          bytes = this.#take();
          filled = 0;
        }
        const piece = chunk.subarray(taken, taken + bytes.length - filled);
        bytes.set(piece, filled);
        filled += piece.length;
        taken += piece.length;
      }
    }
    yield { bytes: bytes.subarray(0, filled), last: true };
  }

  /** Gives back the memory of a block that nobody looks at any more. */
  free({ bytes: { buffer } }: Block): void {
    if (buffer instanceof ArrayBuffer) this.#free.push(buffer);
  }

  #take(): Uint8Array {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(this.#blockBytes));
  }
}
