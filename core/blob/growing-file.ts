// GrowingFile: a temporary file that is read while it grows.

import { constants } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";

import { asFailure } from "../failure.ts";

/** Never over something that is there, and never through a link. */
const creating = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Bytes on disk, in order. The file has no name, so it ends with the process if not before. */
export class GrowingFile implements AsyncDisposable {
  readonly #file: FileHandle;
  #size = 0;
  #closing: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Makes an empty file in `directory`, where only the user can read it. Fails with `io`. */
  static async create(directory: string): Promise<GrowingFile> {
    const path = join(directory, `.dray-${crypto.randomUUID()}`);
    try {
      const file = await open(path, creating, 0o600);
      await unlink(path);
      return new GrowingFile(file);
    } catch (error) {
      throw asFailure(error);
    }
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end; one call at a time. Fails with `io`, and nothing has been added then. */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, at, undefined, this.#size + at);
        at += bytesWritten;
      }
    } catch (error) {
      throw asFailure(error);
    }
    this.#size += bytes.length;
  }

  /** Returns bytes from `at` on, at most `limitBytes`, and none only where none have been added. */
  async read(at: number, limitBytes: number): Promise<Uint8Array> {
    const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(limitBytes, this.#size - at)));
    try {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, at);
      return chunk.subarray(0, bytesRead);
    } catch (error) {
      throw asFailure(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#file.close();
    await this.#closing;
  }
}
