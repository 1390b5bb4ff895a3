// The pipes through which clients of the proxy read content.

import { asFailure, Failure } from "../../core/failure.ts";
import type { OutgoingBlob } from "../../core/trust/gate.ts";
import { closeAll, openPipe, writeToPipe } from "./descriptors.ts";

/** What a client is given to read from. The descriptors are closed once they have been sent. */
export interface Offered {
  readonly descriptors: readonly number[];
  /** By which the client says that it has read all; 0 where it need not. */
  readonly pipe: number;
}

interface ActivePipe {
  readonly writer: number;
  /** Ends when all is written, with what went wrong. */
  readonly written: Promise<Failure | undefined>;
}

/** What is being written to clients. Disposing gives up what nobody reads any more. */
export class Pipes implements AsyncDisposable {
  readonly #active = new Map<number, ActivePipe>();
  readonly #loose = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #last = 0;

  /** Offers content by a pipe that stays open until the client has said that it has read all. */
  offer(content: OutgoingBlob): Offered {
    const { reader, writer } = openPipe();
    this.#last += 1;
    const written = this.#write(writer, content);
    this.#active.set(this.#last, { writer, written });
    return { descriptors: [reader], pipe: this.#last };
  }

  /** Offers content by a pipe that ends with it, and by another what went wrong, if anything did. */
  offerRaw(content: OutgoingBlob, describe: (failure: Failure) => string): Offered {
    const whole = openPipe();
    const trouble = openPipe();
    const work = async () => {
      const failure = await this.#write(whole.writer, content);
      closeAll(whole.writer);
      if (failure !== undefined) {
        const told = new TextEncoder().encode(describe(failure));
        // Whoever does not listen does not want to know.
        await writeToPipe(trouble.writer, told).catch(asFailure);
      }
      closeAll(trouble.writer);
    };
    const done = work().finally(() => this.#loose.delete(done));
    this.#loose.add(done);
    return { descriptors: [whole.reader, trouble.reader], pipe: 0 };
  }

  /** Waits until all is written, closes the pipe, and fails as the writing did. */
  async finish(pipe: number): Promise<void> {
    const active = this.#active.get(pipe);
    if (active === undefined) throw new Failure("usage", `finishpipe: no active pipe ${pipe}`);
    this.#active.delete(pipe);
    const failure = await active.written;
    closeAll(active.writer);
    if (failure !== undefined) throw failure;
  }

  async #write(writer: number, content: OutgoingBlob): Promise<Failure | undefined> {
    try {
      for await (const chunk of content.open()) {
        this.#stop.signal.throwIfAborted();
        await writeToPipe(writer, chunk, this.#stop.signal);
      }
      return undefined;
    } catch (error) {
      return asFailure(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loose);
    for (const [pipe, { written, writer }] of this.#active) {
      this.#active.delete(pipe);
      await written;
      closeAll(writer);
    }
  }
}
