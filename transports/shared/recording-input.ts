// Recording input: a layer on its way, of which all is recorded but the content of files.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { TarSplitEncoder } from "../../core/blob/tar-split.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { TarInput } from "../../core/blob/tar-input.ts";

/**
 * Reads a layer once: what is taken or passed over is recorded as it stands there, what is read by
 * `content` is left to whoever reads it. Disposing releases what feeds it.
 */
export class RecordingInput implements TarInput, AsyncDisposable {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #encoder: TarSplitEncoder;
  readonly #digester = new Digester("sha256");
  #rest: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(bytes: ByteStream, encoder: TarSplitEncoder) {
    this.#iterator = bytes[Symbol.asyncIterator]();
    this.#encoder = encoder;
  }

  get position(): number {
    return this.#position;
  }

  async take(count: number): Promise<Uint8Array> {
    if (count === 0) return new Uint8Array();
    if (this.#rest.length >= count) return this.#recorded(count);
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0 && (await this.#fill());) {
      const part = this.#recorded(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      if (!(await this.#fill())) throw cutOff();
      left -= this.#recorded(left).length;
    }
  }

  /**
   * Returns the next of the content of a file: at least one byte, and at most `limit`. Fails with `corrupt`
   * at the end.
   */
  content(limit: number): Uint8Array | Promise<Uint8Array> {
    // Most files are as short as what is here already, and waiting costs more than they do.
    return this.#rest.length > 0 ? this.#next(limit) : this.#later(limit);
  }

  /** Records what follows the archive, to the very end, and returns the digest of everything. */
  async end(): Promise<Digest> {
    while (await this.#fill()) this.#recorded(this.#rest.length);
    return this.#digester.digest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.();
  }

  async #later(limit: number): Promise<Uint8Array> {
    if (!(await this.#fill())) throw cutOff();
    return this.#next(limit);
  }

  #recorded(limit: number): Uint8Array {
    const part = this.#next(limit);
    this.#encoder.raw(part);
    return part;
  }

  #next(limit: number): Uint8Array {
    const part = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(part.length);
    this.#position += part.length;
    return part;
  }

  /** Tells whether there is a byte more. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return false;
      this.#digester.update(value);
      this.#rest = value;
    }
    return true;
  }
}

function cutOff(): Failure {
  return new Failure("corrupt", "Tar archive is cut off in the content of an entry");
}
