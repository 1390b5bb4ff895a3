// Blocks: a stream in pieces of fixed size, several of them in work at a time.

import { inOrder } from "./in-order.ts";
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
  /** Blocks of this stream in work at a time; absent: enough to keep a few processors busy. */
  readonly atOnce?: number | undefined;
}

/** Yields what becomes of the blocks of a stream, in order. There is always one block, be it empty. */
export function inBlocks(bytes: ByteStream, work: BlockWork): AsyncGenerator<Uint8Array> {
  const { blockBytes, begin, atOnce } = work;
  const cutter = new Cutter(blockBytes);
  return inOrder(cutter.cut(bytes), {
    atOnce,
    async begin(block) {
      try {
        return await begin(block);
      } finally {
        cutter.free(block);
      }
    },
  });
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
