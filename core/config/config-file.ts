// Configuration files: small files that an administrator or a user wrote.

import {
  closeSync,
  constants,
  type Dirent,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from "node:fs";
import type { FileHandle } from "node:fs/promises";

import { collect } from "../blob/collect.ts";
import { asFailure, Failure } from "../failure.ts";
import { limits } from "../limits.ts";

/**
 * Reads a whole file; it may be a pipe, too.
 *
 * Fails with `config`, in the words of the C library. The cause has the system's own code, such as ENOENT.
 */
export async function readConfigFile(
  path: string,
  limitBytes: number = limits.configFileBytes,
): Promise<Uint8Array> {
  try {
    return (await readAtOnce(path, limitBytes)) ?? (await readWaiting(path, limitBytes));
  } catch (error) {
    const { message, hint } = asFailure(error);
    // Only failures to open name the file.
    const named = message.includes(path)
      ? message
      : message.replace(/^(read: )?/, `read ${path}: `);
    throw new Failure("config", named, { hint, cause: error });
  }
}

/** Reads a file as `readConfigFile` does, or returns undefined if there is none. */
export async function readConfigFileIfAny(path: string): Promise<Uint8Array | undefined> {
  // Files are looked for in many places, and most of those are empty.
  if (isSurelyMissing(path)) return undefined;
  try {
    return await readConfigFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Returns what is in a directory, or undefined if there is none. Fails as the system does. */
export function entriesIfAny(path: string): readonly Dirent[] | undefined {
  if (isSurelyMissing(path)) return undefined;
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Tells whether `readConfigFile` failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  if (!(cause instanceof Error && "code" in cause)) return false;
  return cause.code === "ENOENT" || cause.code === "ENOTDIR";
}

/** Tells whether there is something at `path`. Fails with `io` if that cannot be found out. */
export function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isMissing(error)) return false;
    throw asFailure(error);
  }
}

/** Where it cannot be found out, opening it says why. */
function isSurelyMissing(path: string): boolean {
  try {
    return !exists(path);
  } catch {
    return false;
  }
}

/**
 * Returns all of a regular file: another thread takes longer to be asked. Undefined for anything else,
 * which may keep its reader waiting.
 */
async function readAtOnce(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
  // What is wrong with a path, opening it says.
  if (existsSync(path) && !statSync(path).isFile()) return undefined;
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await collect(chunksAtOnce(file), limitBytes);
  } finally {
    closeSync(file);
  }
}

async function* chunksAtOnce(file: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(chunkBytes);
    const size = readSync(file, chunk);
    if (size === 0) return;
    yield chunk.subarray(0, size);
  }
}

async function readWaiting(path: string, limitBytes: number): Promise<Uint8Array> {
  const { open } = await import("node:fs/promises");
  await using file = await open(path);
  return await collect(chunksOf(file), limitBytes);
}

// Not Bun.file(path).stream(), which cannot read from devices and pipes of every kind.
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(chunkBytes));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

const chunkBytes = 64 * 1024;
