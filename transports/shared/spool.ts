// Spool: content that can be read only once, kept in a hidden file so that it can be read again.

import { constants, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { ByteStream } from "../../core/blob/stream.ts";
import { asFailure } from "../../core/failure.ts";
import { fileStream } from "./file-stream.ts";
import { standardInput } from "./read-once.ts";
import { attempt, failureAt, isSystemError } from "./system.ts";
import { temporaryPath } from "./temporary.ts";

/** Streams what can be read only once. An abort ends it, even while nothing comes. */
export async function* onceStream(
  path: string,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<Uint8Array> {
  // The runtime waits for a pipe without a thread, which could not be called back.
  const file = path === standardInput ? Bun.file(0) : Bun.file(path);
  const reader = attempt(() => file.stream().getReader());
  const signal = AbortSignal.any([...signals]);
  const leave = () => void reader.cancel();
  signal.addEventListener("abort", leave);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (!isAlwaysReady(error)) throw failureAt(path, error);
    yield* readyStream(path, signal);
  } finally {
    signal.removeEventListener("abort", leave);
    // What has failed fails once more when it is let go.
    await Promise.allSettled([reader.cancel()]);
  }
}

/** The system waits for no device that is always ready, such as /dev/null, and says so at the first read. */
function isAlwaysReady(error: unknown): boolean {
  return isSystemError(error, "EPERM") && asFailure(error).message.startsWith("epoll_ctl");
}

const readyBytes = 256 * 1024;

async function* readyStream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path, constants.O_RDONLY);
    for (;;) {
      signal.throwIfAborted();
      const chunk = Buffer.allocUnsafeSlow(readyBytes);
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw failureAt(path, error);
  }
}

/** Never over something that is there, and never through a link. */
const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Kept content. Disposing removes it. */
export class Spool implements AsyncDisposable {
  /** Where it is, for as long as it is. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Keeps all of a stream in `directory`, where only the user can read it. */
  static async keep(bytes: ByteStream, directory: string): Promise<Spool> {
    const spool = new Spool(temporaryPath(directory));
    try {
      await using file = await open(spool.path, creating, 0o600);
      for await (const chunk of bytes) await writeAll(file, chunk, spool.path);
    } catch (error) {
      await spool[Symbol.asyncDispose]();
      throw asFailure(error);
    }
    return spool;
  }

  /** Streams it from the start. */
  open(...signals: readonly AbortSignal[]): ByteStream {
    return fileStream(this.path, ...signals);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    attempt(() => rmSync(this.path, { force: true }));
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, path: string): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    try {
      at += (await file.write(chunk, at)).bytesWritten;
    } catch (error) {
      throw failureAt(path, error);
    }
  }
}
