// Block memory: pieces of memory of one size, used again and again.
//
// The runtime gives memory back late. What is needed anew for every block would make it grow.

/** Lends pieces of memory to streams, which may be many and small. */
export class BlockMemory {
  static readonly #ofSize = new Map<number, BlockMemory>();

  readonly blockBytes: number;
  readonly #free: ArrayBuffer[] = [];

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** Returns what lends pieces of this size to all who ask: many small streams would each make their own. */
  static of(blockBytes: number): BlockMemory {
    const memory = BlockMemory.#ofSize.get(blockBytes) ?? new BlockMemory(blockBytes);
    BlockMemory.#ofSize.set(blockBytes, memory);
    return memory;
  }

  /** Lends a block, with anything in it. */
  take(): Uint8Array {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(this.blockBytes));
  }

  /** Takes back a block, or the one that a part is of. Nobody may look at it any more. */
  free({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === this.blockBytes) {
      this.#free.push(buffer);
    }
  }
}
