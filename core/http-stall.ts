// Stall: notices that nothing moves on a connection any more, and ends it.

import { Failure } from "./failure.ts";

/** How long which silence is borne, in milliseconds, and how little is too little. */
export interface StallTimes {
  readonly firstHeaderMs: number;
  readonly idleMs: number;
  readonly slowMs: number;
  readonly slowBytes: number;
}

/**
 * Watches over one request and its answer.
 *
 * Only time spent waiting for the other side counts: whoever feeds or reads the connection slowly does
 * not make it look dead.
 */
export class Stall {
  readonly #times: StallTimes;
  readonly #outer: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #forward: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #headerArrived = false;
  /** What this watch ended the exchange with; absent as long as it did not. */
  failure: Failure | undefined;

  /** `outer` ends the exchange as well. */
  constructor(times: StallTimes, outer?: AbortSignal) {
    this.#times = times;
    this.#outer = outer;
    this.#forward = () => this.#stop.abort(outer?.reason);
    if (outer?.aborted === true) this.#forward();
    outer?.addEventListener("abort", this.#forward, { once: true });
  }

  /** Ends the exchange, with `failure` or with the reason of the outer signal. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Begins to wait for the header. */
  awaitHeader(): void {
    const ms = this.#times.firstHeaderMs;
    this.#wait(ms, `timeout awaiting response headers (${seconds(ms)})`);
  }

  /** The header is there: what has not been sent by now is of no interest any more. */
  headerArrived(): void {
    this.#headerArrived = true;
    this.#rest();
  }

  /** Passes a body on to the connection. Without a `size` its end is known only when it comes. */
  async *sending(bytes: AsyncIterable<Uint8Array>, size = Infinity): AsyncGenerator<Uint8Array> {
    let sent = 0;
    this.#unlessAnswered(() => this.#rest());
    for await (const chunk of bytes) {
      sent += chunk.length;
      // After the last byte nobody may ask for more, so the wait for the header begins with it.
      if (sent >= size) this.#unlessAnswered(() => this.awaitHeader());
      else this.#unlessAnswered(() => this.#awaitByte());
      yield chunk;
      this.#unlessAnswered(() => this.#rest());
    }
    this.#unlessAnswered(() => this.awaitHeader());
  }

  /** Passes a body on from the connection, and ends the watch with it. */
  async *receiving(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let waitedMs = 0;
    let received = 0;
    try {
      let since = this.#awaitByte();
      for await (const chunk of bytes) {
        this.#rest();
        waitedMs += performance.now() - since;
        received += chunk.length;
        if (waitedMs >= this.#times.slowMs) {
          if (received < this.#times.slowBytes) throw slow(received, waitedMs);
          waitedMs = received = 0;
        }
        yield chunk;
        since = this.#awaitByte();
      }
    } finally {
      this.end();
    }
  }

  /** Ends the watch. */
  end(): void {
    this.#rest();
    this.#outer?.removeEventListener("abort", this.#forward);
  }

  #unlessAnswered(wait: () => void): void {
    if (!this.#headerArrived) wait();
  }

  #awaitByte(): number {
    const ms = this.#times.idleMs;
    this.#wait(ms, `no byte for ${seconds(ms)}`);
    return performance.now();
  }

  #wait(ms: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.failure = new Failure("unavailable", what);
      this.#stop.abort(this.failure);
    }, ms);
  }

  #rest(): void {
    clearTimeout(this.#timer);
  }
}

function slow(bytes: number, ms: number): Failure {
  return new Failure("unavailable", `only ${bytes} bytes in ${seconds(ms)}`);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
