// File stream: the content of a file on its way out.

import { closeSync, constants, fstatSync, openSync, read, readSync, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { collect } from "../../core/blob/collect.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { attempt, failureAt } from "./system.ts";

/** The next piece is read while the last one is being used; larger ones are not faster. */
const chunkBytes = 256 * 1024;

const smallestBytes = 4096;

/** Lets a pipe that poses as a file be opened, and refused, rather than waited for. */
const reading = constants.O_RDONLY | constants.O_NONBLOCK;

/** Streams a file. Fails with `io`, in the words `open PATH: no such file or directory`. */
export async function* fileStream(
  path: string,
  ...signals: readonly AbortSignal[]
): AsyncGenerator<Uint8Array> {
  const file = openAtOnce(path);
  try {
    // To ask another thread takes longer than to read so little.
    if (fstatSync(file).size <= chunkBytes) yield* chunksAtOnce(file, path, signals);
    else yield* rangeStream(readerOf(file), { path, offset: 0 }, ...signals);
  } finally {
    closeSync(file);
  }
}

/** A part of an open file. */
export interface FileRange {
  /** What failures name. */
  readonly path: string;
  readonly offset: number;
  /** Absent: up to the end. */
  readonly size?: number;
}

/** What reads an open file on another thread. */
export interface FileReader {
  read(
    chunk: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/** Streams a part of an open file; several may be read at a time. Fails with `corrupt` if it is shorter. */
export async function* rangeStream(
  file: FileReader,
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
  const file = openAtOnce(path);
  try {
    return await collect(chunksAtOnce(file, path), limitBytes);
  } finally {
    closeSync(file);
  }
}

/** Opens a regular file, and nothing else, for reading. Fails with `io`. */
export async function openFile(path: string): Promise<FileHandle> {
  const { open } = await import("node:fs/promises");
  let file: FileHandle;
  try {
    file = await open(path, reading);
  } catch (error) {
    throw asFailure(error);
  }
  const found = await file.stat();
  if (found.isFile()) return file;
  await file.close();
  throw notRegular(path, found);
}

/** The same without another thread, as a descriptor. */
function openAtOnce(path: string): number {
  const file = attempt(() => openSync(path, reading));
  const found = fstatSync(file);
  if (found.isFile()) return file;
  closeSync(file);
  throw notRegular(path, found);
}

function notRegular(path: string, found: Stats): Failure {
  const what = found.isDirectory() ? "is a directory" : "not a regular file";
  return new Failure("io", `read ${path}: ${what}`);
}

async function* chunksAtOnce(
  file: number,
  path: string,
  signals: readonly AbortSignal[] = [],
): AsyncGenerator<Uint8Array> {
  // Files that the system makes up say that they are empty, and give what they please.
  const { size } = fstatSync(file);
  const wanted = Math.min(chunkBytes, size === 0 ? smallestBytes : size + 1);
  for (;;) {
    for (const signal of signals) signal.throwIfAborted();
    const chunk = Buffer.allocUnsafeSlow(wanted);
    const bytesRead = readAtOnce(file, path, chunk);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    if (size > 0 && bytesRead < wanted) return;
  }
}

function readAtOnce(file: number, path: string, chunk: Uint8Array): number {
  try {
    return readSync(file, chunk);
  } catch (error) {
    throw failureAt(path, error);
  }
}

function readerOf(file: number): FileReader {
  return {
    read: (chunk, offset, length, position) =>
      new Promise((resolve, reject) =>
        read(file, chunk, offset, length, position, (error, bytesRead) =>
          error === null ? resolve({ bytesRead }) : reject(error),
        ),
      ),
  };
}

/** Every chunk has memory of its own, because it belongs to whoever receives it. */
async function readChunk(file: FileReader, at: number, end: number): Promise<Uint8Array> {
  const wanted = Math.min(chunkBytes, end - at);
  if (wanted === 0) return new Uint8Array();
  const chunk = Buffer.allocUnsafeSlow(wanted);
  const { bytesRead } = await file.read(chunk, 0, wanted, at);
  return chunk.subarray(0, bytesRead);
}
