// Pipe: bytes that are written at one end and read at the other, a piece at a time.

import { asFailure, Failure } from "../../core/failure.ts";

/** A piece that was written, and how its writer learns what became of it. */
interface Offer {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
  readonly refused: (failure: Failure) => void;
}

/**
 * A pipe with room for one piece: whoever writes goes on when the reader asks for more.
 *
 * Breaking it ends both reading and writing, and so does a reader that leaves early.
 */
export class Pipe {
  #offer: Offer | undefined;
  #wake = Promise.withResolvers<void>();
  #failure: Failure | undefined;
  #ended = false;

  /** Offers a piece, and waits until the reader wants the one after it. One at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended || this.#offer !== undefined) {
      throw new Failure("bug", "A pipe was written to out of turn");
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#offer = { bytes, taken: resolve, refused: reject };
    this.#wake.resolve();
    await promise;
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** Breaks the pipe: reading and writing fail from now on. The first failure counts. */
  fail(error: unknown): void {
    this.#failure ??= asFailure(error);
    this.#offer?.refused(this.#failure);
    this.#offer = undefined;
    this.#wake.resolve();
  }

  /** Reads what is written, to its end. To be called once. */
  async *read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure;
        const offer = this.#offer;
        if (offer !== undefined) {
          yield offer.bytes;
          // Asking for more says that this piece has gone; unless the pipe broke meanwhile.
          if (this.#offer === offer) this.#offer = undefined;
          offer.taken();
        } else if (this.#ended) {
          return;
        } else {
          this.#wake = Promise.withResolvers();
          await this.#wake.promise;
        }
      }
    } finally {
      // Changes nothing for a reader that has seen the end, or the failure.
      this.fail(new Failure("unavailable", "nobody reads what is written any more"));
    }
  }
}
