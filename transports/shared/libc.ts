// libc: the system calls that Bun lacks.

import { dlopen, read } from "bun:ffi";
import { platform } from "node:os";

/** What became of a wish for a lock; `unavailable` where this machine or file system has none. */
export type FlockOutcome = "done" | "held" | "unavailable";

/** What is wished of flock(2). Never waits: a wait would stop the whole program. */
export type FlockWish = "exclusive" | "shared" | "release";

/**
 * Locks what an open descriptor stands for, against all others who ask, until it is closed.
 *
 * Answers `held` if somebody else has it now.
 */
export function flock(descriptor: number, wish: FlockWish): FlockOutcome {
  calls ??= openLibrary() ?? "none";
  if (calls === "none") return "unavailable";
  const error = calls.flock(descriptor, operations[wish]);
  if (error === 0) return "done";
  return error === calls.wouldBlock ? "held" : "unavailable";
}

/** LOCK_SH, LOCK_EX and LOCK_UN, the first two with LOCK_NB: the same on every Unix. */
const operations: Readonly<Record<FlockWish, number>> = { shared: 5, exclusive: 6, release: 8 };

interface Calls {
  /** Returns 0, or the number of the error. */
  flock(descriptor: number, operation: number): number;
  readonly wouldBlock: number;
}

interface Library {
  readonly file: string;
  readonly errno: "__errno_location" | "__error";
  readonly wouldBlock: number;
  readonly badDescriptor: number;
}

/** musl answers to the name of glibc. */
const libraries: Readonly<Record<string, Library>> = {
  linux: { file: "libc.so.6", errno: "__errno_location", wouldBlock: 11, badDescriptor: 9 },
  darwin: { file: "libSystem.B.dylib", errno: "__error", wouldBlock: 35, badDescriptor: 9 },
};

let calls: Calls | "none" | undefined;

function openLibrary(): Calls | undefined {
  const library = libraries[platform()];
  if (library === undefined) return undefined;
  const { file, errno, wouldBlock, badDescriptor } = library;
  try {
    const { symbols } = dlopen(file, {
      flock: { args: ["i32", "i32"], returns: "i32" },
      [errno]: { args: [], returns: "ptr" },
    });
    const location = symbols[errno];
    const lock = symbols["flock"];
    if (location === undefined || lock === undefined) return undefined;
    const flockOrError = (descriptor: number, operation: number): number => {
      if (lock(descriptor, operation) === 0) return 0;
      const at = location();
      return at === null ? badDescriptor : read.i32(at, 0);
    };
    // The self-test: a descriptor that cannot exist has to be refused for exactly that reason.
    if (flockOrError(-1, operations.release) !== badDescriptor) return undefined;
    return { flock: flockOrError, wouldBlock };
  } catch (error) {
    // A build or a platform without this library: lock files do the work there.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
