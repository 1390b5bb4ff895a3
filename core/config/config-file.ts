// Configuration files: small files that an administrator or a user wrote.

import { type FileHandle, open, stat } from "node:fs/promises";

import { collect } from "../blob/collect.ts";
import { asFailure, Failure } from "../failure.ts";
import { limits } from "../limits.ts";

/**
 * Reads a whole file; it may be a pipe, too.
 *
 * Fails with `config`, in the words of the C library. The cause has the system's own code, such as ENOENT.
 */
export async function readConfigFile(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    return await collect(chunksOf(file), limits.configFileBytes);
  } catch (error) {
    const { message, hint } = asFailure(error);
    // Only failures to open name the file.
    const named = message.includes(path)
      ? message
      : message.replace(/^(read: )?/, `read ${path}: `);
    throw new Failure("config", named, { hint, cause: error });
  }
}

/** Tells whether `readConfigFile` failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  if (!(cause instanceof Error && "code" in cause)) return false;
  return cause.code === "ENOENT" || cause.code === "ENOTDIR";
}

/** Tells whether there is something at `path`. Fails with `io` if that cannot be found out. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw asFailure(error);
  }
}

// Not Bun.file(path).stream(), which cannot read from devices and pipes of every kind.
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(new Uint8Array(64 * 1024));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
