// SharedBlob: one blob on its way from a source, read by several, each at its own pace.
//
// Nobody waits for anybody else. Whoever is ahead pulls from the source, and what others have not read yet
// is kept on disk for them. Where it cannot be kept, those who are behind read the source themselves.

import type { ByteStream } from "../blob/stream.ts";
import { asFailure, type Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import type { Spool } from "./spool.ts";

/** What a shared blob is read from, and how it is kept. */
export interface SharedBlobWish {
  /** Opens the blob at the source; `signal` ends the reading. */
  open(signal: AbortSignal | undefined): Promise<ByteStream>;
  /** Tells whether anybody but the one who reads it now may want it. */
  wanted(): boolean;
  /** Makes what the bytes are kept in; undefined where nothing can be kept. */
  keep(): Promise<Spool | undefined>;
  /** Whether caches on the way are bypassed. */
  readonly fresh: boolean;
}

/** A blob that is fetched once, however many read it. Disposing lets go of the source. */
export class SharedBlob implements AsyncDisposable {
  readonly #wish: SharedBlobWish;
  readonly #stop = new AbortController();
  #source: Promise<AsyncIterator<Uint8Array>> | undefined;
  /** Absent before the first byte, and where nothing is kept any more. */
  #spool: Spool | undefined;
  #keeps = true;
  #pulling: Promise<void> | undefined;
  #size = 0;
  /** The bytes before `#size`, for those who have read all others. */
  #latest: Uint8Array = new Uint8Array();
  #ended = false;
  #failure: Failure | undefined;

  constructor(wish: SharedBlobWish) {
    this.#wish = wish;
  }

  /** Whether caches on the way are bypassed. */
  get fresh(): boolean {
    return this.#wish.fresh;
  }

  /** Whether one more reader would get all of it from here. */
  get complete(): boolean {
    return this.#keeps && this.#failure === undefined;
  }

  /** Reads all of it. Fails as the source does; `signal` ends this reading, and no other. */
  async *read(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    for (let at = 0; ;) {
      signal?.throwIfAborted();
      if (at < this.#size) {
        const chunk = await this.#chunkAt(at);
        if (chunk === undefined) return yield* this.#restFrom(at, signal);
        at += chunk.length;
        yield chunk;
      } else if (this.#failure !== undefined) {
        throw this.#failure;
      } else if (this.#ended) {
        return;
      } else {
        await unlessAborted(this.#advance(), signal);
      }
    }
  }

  /** Returns bytes that were received, or undefined if they are not there any more. */
  async #chunkAt(at: number): Promise<Uint8Array | undefined> {
    if (at === this.#size - this.#latest.length) return this.#latest;
    const spool = this.#spool;
    if (spool === undefined || at >= spool.size) return undefined;
    return spool.read(at, limits.spoolReadBytes);
  }

  /** Reads the source once more, for somebody who got so far. */
  async *#restFrom(start: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    let at = 0;
    for await (const chunk of await this.#wish.open(signal)) {
      const known = Math.min(chunk.length, Math.max(0, start - at));
      at += chunk.length;
      if (known < chunk.length) yield chunk.subarray(known);
    }
  }

  /** Pulls the next bytes from the source, for all who wait for them. */
  #advance(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => (this.#pulling = undefined));
    return this.#pulling;
  }

  async #pull(): Promise<void> {
    try {
      this.#source ??= this.#open();
      const { done, value } = await (await this.#source).next();
      if (done === true) {
        this.#ended = true;
        return;
      }
      if (this.#keeps) await this.#keep(value);
      this.#latest = value;
      this.#size += value.length;
    } catch (error) {
      this.#failure = asFailure(error);
    }
  }

  async #open(): Promise<AsyncIterator<Uint8Array>> {
    const bytes = await this.#wish.open(this.#stop.signal);
    return bytes[Symbol.asyncIterator]();
  }

  /** Keeps bytes for those who have not read them, for as long as it can. */
  async #keep(chunk: Uint8Array): Promise<void> {
    if (this.#wish.wanted()) {
      if (this.#size === 0) this.#spool = await this.#wish.keep();
      this.#keeps = (await this.#spool?.append(chunk)) ?? false;
      return;
    }
    // At once: nobody else may come to read what goes away now. The only reader has it all.
    this.#keeps = false;
    const spool = this.#spool;
    this.#spool = undefined;
    await spool?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#pulling;
    const source = await this.#source?.catch(() => undefined);
    // What was aborted may say so once more.
    await source?.return?.().catch(() => undefined);
    await this.#spool?.[Symbol.asyncDispose]();
  }
}

/** Waits for `work`, but not beyond the signal. */
function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
