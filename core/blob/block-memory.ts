// Block memory: pieces of memory of one size, used again and again.
//
// The runtime gives memory back late. What is needed anew for every block would make it grow.

/** Lends pieces of memory to one stream. */
export class BlockMemory {
  readonly blockBytes: number;
  readonly #free: ArrayBuffer[] = [];

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
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
