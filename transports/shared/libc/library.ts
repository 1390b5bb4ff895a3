// Library: the C library of the operating system, which has the system calls that Bun lacks.

import { dlopen, type FFIFunction, type Library as Opened, read } from "bun:ffi";
import { constants, platform } from "node:os";

/** Functions of the C library, and how the last one of them failed. */
export interface Library<Functions extends Record<string, FFIFunction>> {
  readonly calls: Opened<Functions>["symbols"];
  /** Returns the number of the error. To be asked right after the call that failed. */
  errno(): number;
}

/** musl answers to the name of glibc. */
const files: Readonly<Record<string, readonly [file: string, errno: string]>> = {
  linux: ["libc.so.6", "__errno_location"],
  darwin: ["libSystem.B.dylib", "__error"],
};

/**
 * Opens the C library for some of its functions; undefined where it, or one of them, is not to be had.
 *
 * Bytes are handed over as they are: a path ends with a NUL of its own. Whoever opens it tests first that
 * a call does what is expected of it, because nobody checks the signatures.
 */
export function openLibrary<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions> | undefined {
  const [file, name] = files[platform()] ?? [];
  if (file === undefined || name === undefined) return undefined;
  try {
    const { symbols } = dlopen(file, functions);
    const location = dlopen(file, { [name]: { args: [], returns: "ptr" } }).symbols[name];
    const at = location?.() ?? null;
    if (at === null) return undefined;
    return { calls: symbols, errno: () => read.i32(at, 0) };
  } catch (error) {
    // A build or a platform without this library, or an older one.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const codes = new Map(Object.entries(constants.errno).map(([code, number]) => [number, code]));

/** Returns the error of a call that failed, as the functions of node:fs have it: with `code`. */
export function systemError(errno: number, syscall: string, path?: string): Error {
  const code = codes.get(errno) ?? `E${errno}`;
  const named = path === undefined ? {} : { path };
  return Object.assign(new Error(`${code}: ${syscall}`), { code, errno, syscall, ...named });
}
