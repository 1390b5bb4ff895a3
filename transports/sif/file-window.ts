// File window: a part of a file, read wherever one likes.

import type { FileHandle } from "node:fs/promises";
import { Failure } from "../../core/failure.ts";
import { failureAt } from "../shared/system.ts";

/** A part of an open file, as if it were one by itself. */
export class FileWindow {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #start: number;
  /** In bytes. */
  readonly size: number;

  constructor(file: FileHandle, path: string, start: number, size: number) {
    this.#file = file;
    this.#path = path;
    this.#start = start;
    this.size = size;
  }

  /** Returns a part of this part. Fails with `corrupt` if it is not all inside. */
  part(start: number, size: number): FileWindow {
    this.#check(start, size);
    return new FileWindow(this.#file, this.#path, this.#start + start, size);
  }

  /** Reads exactly `size` bytes. Fails with `corrupt` if there are not so many. */
  async read(at: number, size: number): Promise<Buffer> {
    this.#check(at, size);
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let read = 0; read < size;) {
      const bytesRead = await this.#read(bytes, read, at);
      if (bytesRead === 0) throw new Failure("corrupt", "unexpected EOF");
      read += bytesRead;
    }
    return bytes;
  }

  async #read(bytes: Buffer, read: number, at: number): Promise<number> {
    try {
      const place = this.#start + at + read;
      return (await this.#file.read(bytes, read, bytes.length - read, place)).bytesRead;
    } catch (error) {
      throw failureAt(this.#path, error);
    }
  }

  #check(start: number, size: number): void {
    if (start >= 0 && size >= 0 && start + size <= this.size) return;
    throw new Failure("corrupt", "unexpected EOF");
  }
}
