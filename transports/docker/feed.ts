// Feed: a blob as the bodies of requests, measured as it flows.

import { collect } from "../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../core/blob/stream.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { RequestBody } from "./client.ts";

/** A blob of the image, or what is kept beside it. */
export interface SendableBlob {
  readonly mediaType: string;
  /** Absent where only the stream can tell. */
  readonly digest?: Digest;
  /** In bytes; absent where only the stream can tell. */
  readonly size?: number;
  /** Opens the bytes; each call reads them from their start. */
  open(): ByteStream;
}

/** What a registry was sent. */
export interface SentBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/**
 * The bytes of a blob, piece by piece. A piece that begins where the last one ended goes on with the same
 * reading; for any other, and for one that is opened again, the blob is read from its start.
 */
export class Feed implements Disposable {
  readonly #blob: SendableBlob;
  #reading: Reading | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(blob: SendableBlob) {
    this.#blob = blob;
  }

  /** The whole blob, or undefined as long as it has not been read to its end. */
  get sent(): SentBlob | undefined {
    return this.#reading?.sent;
  }

  /** How many bytes of the blob, from its start, have left. */
  get position(): number {
    return this.#reading?.position ?? 0;
  }

  /** What went wrong with the blob itself, if anything did. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Returns the bytes from `start` on, at most `limitBytes` of them. */
  piece(start: number, limitBytes: number = Infinity): RequestBody {
    const size = Math.min(limitBytes, (this.#blob.size ?? Infinity) - start);
    const known = this.#blob.size !== undefined;
    return { open: () => this.#read(start, limitBytes), ...(known && { size }) };
  }

  /** Reads up to `limitBytes` from `start` on into memory, so that their number is known. */
  async heldPiece(start: number, limitBytes: number): Promise<RequestBody> {
    const bytes = await collect(this.#read(start, limitBytes), limitBytes);
    return { open: () => streamOf(bytes), size: bytes.length };
  }

  /** Lets go of what the blob is read from. */
  [Symbol.dispose](): void {
    this.#reading?.close();
  }

  async *#read(start: number, limitBytes: number): AsyncGenerator<Uint8Array> {
    this.#failure = undefined;
    try {
      const reading = await this.#readingAt(start);
      yield* reading.take(limitBytes);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #readingAt(start: number): Promise<Reading> {
    const known = this.#reading;
    if (known !== undefined && known.idle && known.position === start) return known;
    known?.close();
    const reading = new Reading(this.#blob);
    this.#reading = reading;
    for await (const _ of reading.take(start));
    return reading;
  }
}

/** One reading of a blob, from its start. */
class Reading {
  readonly #bytes: AsyncIterator<Uint8Array>;
  /** A promised digest has been checked by the time the stream ends; only an open one is computed. */
  readonly #digester: Digester | undefined;
  readonly #digest: Digest | undefined;
  /** What was read and has not left yet. */
  #rest: Uint8Array | undefined;
  #next: Uint8Array | undefined;
  #size = 0;
  #ended = false;
  #takers = 0;
  position = 0;
  sent: SentBlob | undefined;

  constructor(blob: SendableBlob) {
    this.#bytes = blob.open()[Symbol.asyncIterator]();
    this.#digest = blob.digest;
    this.#digester = blob.digest === undefined ? new Digester() : undefined;
  }

  /** Whether nobody is in the middle of taking something. */
  get idle(): boolean {
    return this.#takers === 0;
  }

  /** Gives the next bytes, at most `limitBytes` of them. */
  async *take(limitBytes: number): AsyncGenerator<Uint8Array> {
    this.#takers += 1;
    try {
      let left = limitBytes;
      while (left > 0) {
        const chunk = this.#rest ?? (await this.#advance());
        if (chunk === undefined) break;
        const part = chunk.length <= left ? chunk : chunk.subarray(0, left);
        this.#rest = part.length < chunk.length ? chunk.subarray(part.length) : undefined;
        this.position += part.length;
        left -= part.length;
        yield part;
      }
    } finally {
      this.#takers -= 1;
    }
  }

  /** Does not wait: a source that is stuck would hold us up. */
  close(): void {
    void Promise.allSettled([this.#bytes.return?.()]);
  }

  /**
   * Returns the next chunk when the one after it is there. The last chunk waits until the blob is known
   * to be whole: a registry that has counted all bytes may answer at once.
   */
  async #advance(): Promise<Uint8Array | undefined> {
    if (this.#next === undefined) await this.#pull();
    const chunk = this.#next;
    if (chunk !== undefined) await this.#pull();
    return chunk;
  }

  async #pull(): Promise<void> {
    this.#next = undefined;
    while (!this.#ended) {
      const { done, value } = await this.#bytes.next();
      if (done === true) return this.#end();
      if (value.length === 0) continue;
      this.#digester?.update(value);
      this.#size += value.length;
      this.#next = value;
      return;
    }
  }

  #end(): void {
    this.#ended = true;
    this.sent = { digest: this.#digest ?? finished(this.#digester), size: this.#size };
  }
}

function finished(digester: Digester | undefined): Digest {
  if (digester === undefined) throw new Failure("bug", "A blob was sent under no digest");
  return digester.digest();
}
