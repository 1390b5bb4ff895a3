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
  yield* rangeStream(file, { path, offset: 0 }, ...signals);
}

/** A part of an open file. */
export interface FileRange {
  /** What failures name. */
  readonly path: string;
  readonly offset: number;
  /** Absent: up to the end. */
  readonly size?: number;
}

/** Streams a part of an open file; several may be read at a time. Fails with `corrupt` if it is shorter. */
export async function* rangeStream(
  file: FileHandle,
  { path, offset, size = Infinity }: FileRange,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<Uint8Array> {
  const end = offset + size;
  let at = offset;
  // Settled, so that a failure waits for us, rather than ends the program as nobody's.
  let ahead = Promise.allSettled([readChunk(file, at, end)]);
  try {
    while (true) {
      const [outcome] = await ahead;
      for (const signal of signals) signal.throwIfAborted();
      if (outcome.status === "rejected") throw failureAt(path, outcome.reason);
      const chunk = outcome.value;
      at += chunk.length;
      if (chunk.length === 0) break;
      ahead = Promise.allSettled([readChunk(file, at, end)]);
      yield chunk;
    }
  } finally {
    await ahead;
  }
  if (size === Infinity || at === end) return;
  throw new Failure("corrupt", `${path} ended after ${at} of ${end} bytes`);
}

/** Returns all of a small file. Fails with `io`, or with `corrupt` if it exceeds `limitBytes`. */
export async function readSmallFile(path: string, limitBytes: number): Promise<Uint8Array> {
  return collect(fileStream(path), limitBytes);
}

/** Opens a regular file, and nothing else, for reading. Fails with `io`. */
export async function openFile(path: string): Promise<FileHandle> {
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
async function readChunk(file: FileHandle, at: number, end: number): Promise<Uint8Array> {
  const wanted = Math.min(chunkBytes, end - at);
  if (wanted === 0) return new Uint8Array();
  const chunk = Buffer.allocUnsafeSlow(wanted);
  const { bytesRead } = await file.read(chunk, 0, wanted, at);
  return chunk.subarray(0, bytesRead);
}
