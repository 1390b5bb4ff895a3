// File stream: the content of a file on its way out.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { collect } from "../../core/blob/collect.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { failureAt } from "./system.ts";

/** The next piece is read while the last one is being used; larger ones are not faster. */
const chunkBytes = 256 * 1024;

/** Lets a pipe that poses as a file be opened, and refused, rather than waited for. */
const reading = constants.O_RDONLY | constants.O_NONBLOCK;

/** Streams a file. Fails with `io`, in the words `open PATH: no such file or directory`. */
export async function* fileStream(
  path: string,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<Uint8Array> {
  await using file = await openFile(path);
  let at = 0;
  // Settled, so that a failure waits for us, rather than ends the program as nobody's.
  let ahead = Promise.allSettled([readChunk(file, at)]);
  try {
    while (true) {
      const [outcome] = await ahead;
      for (const signal of signals) signal.throwIfAborted();
      if (outcome.status === "rejected") throw failureAt(path, outcome.reason);
      const chunk = outcome.value;
      if (chunk.length === 0) return;
      at += chunk.length;
      ahead = Promise.allSettled([readChunk(file, at)]);
      yield chunk;
    }
  } finally {
    await ahead;
  }
}

/** Returns all of a small file. Fails with `io`, or with `corrupt` if it exceeds `limitBytes`. */
export async function readSmallFile(path: string, limitBytes: number): Promise<Uint8Array> {
  return collect(fileStream(path), limitBytes);
}

async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, reading);
  } catch (error) {
    throw asFailure(error);
  }
  const found = await file.stat();
  if (found.isFile()) return file;
  await file.close();
  const what = found.isDirectory() ? "is a directory" : "not a regular file";
  throw new Failure("io", `read ${path}: ${what}`);
}

/** Every chunk has memory of its own, because it belongs to whoever receives it. */
async function readChunk(file: FileHandle, at: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes);
  const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
  return chunk.subarray(0, bytesRead);
}
