// Blocks: a stream in pieces of fixed size, several of them in work at a time.

import { BlockMemory } from "./block-memory.ts";
import { inOrder } from "./in-order.ts";
import type { ByteStream } from "./stream.ts";
import { tidyAfter } from "./tidy.ts";

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
  const memory = BlockMemory.of(blockBytes);
  return inOrder(cut(bytes, memory), {
    atOnce,
    async begin(block) {
      try {
        return await begin(block);
      } finally {
        memory.free(block.bytes);
        tidyAfter(block.bytes.length);
      }
    },
  });
}

async function* cut(stream: ByteStream, memory: BlockMemory): AsyncGenerator<Block> {
  let bytes = memory.take();
  let filled = 0;
  for await (const chunk of stream) {
    for (let taken = 0; taken < chunk.length;) {
      if (filled === bytes.length) {
        yield { bytes, last: false };
        bytes = memory.take();
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
