// Tar input: an archive that is read from its start to its end.

import type { FileHandle } from "node:fs/promises";
import type { ByteStream } from "./stream.ts";
import { Failure } from "../failure.ts";

/** What an archive is read from. */
export interface TarInput {
  /** Where the next byte stands. */
  readonly position: number;
  /** Returns the next bytes: as many as asked for, or all that are left. To be used before more is asked. */
  take(count: number): Promise<Uint8Array>;
  /** Passes over so many bytes. Fails with `corrupt` if there are fewer. */
  skip(count: number): Promise<void>;
}

/** An archive on its way. Disposing releases what feeds it. */
export class StreamInput implements TarInput, AsyncDisposable {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(bytes: ByteStream) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  get position(): number {
    return this.#position;
  }

  async take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      const part = await this.#next(left);
      if (part === undefined) break;
      parts.push(part);
      left -= part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) left -= (await this.some(left)).length;
  }

  /** Returns what comes next, at least one byte and at most `count`. Fails with `corrupt` at the end. */
  async some(count: number): Promise<Uint8Array> {
    const part = await this.#next(count);
    if (part === undefined) throw cutOff();
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(count: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(part.length);
    this.#position += part.length;
    return part;
  }
}

/** Headers lie close together where files are small; this many bytes hold some of them. */
const windowBytes = 16 * 1024;

/** An archive in a file, of which nothing is read but what is taken. */
export class FileInput implements TarInput {
  readonly #file: FileHandle;
  readonly #size: number;
  #window: Uint8Array = new Uint8Array();
  #windowAt = 0;
  #position = 0;

  /** Reads a file of that size. */
  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  get position(): number {
    return this.#position;
  }

  async take(count: number): Promise<Uint8Array> {
    const end = Math.min(this.#position + count, this.#size);
    if (end > this.#windowAt + this.#window.length || this.#position < this.#windowAt) {
      await this.#load(Math.max(windowBytes, end - this.#position));
    }
    const bytes = this.#window.subarray(this.#position - this.#windowAt, end - this.#windowAt);
    this.#position += bytes.length;
    return bytes;
  }

  async skip(count: number): Promise<void> {
    if (this.#position + count > this.#size) throw cutOff();
    this.#position += count;
  }

  async #load(count: number): Promise<void> {
    const window = Buffer.allocUnsafeSlow(Math.min(count, this.#size - this.#position));
    let filled = 0;
    while (filled < window.length) {
      const at = this.#position + filled;
      const { bytesRead } = await this.#file.read(window, filled, window.length - filled, at);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#window = window.subarray(0, filled);
    this.#windowAt = this.#position;
  }
}

function cutOff(): Failure {
  return new Failure("corrupt", "Tar archive is cut off in the content of an entry");
}
