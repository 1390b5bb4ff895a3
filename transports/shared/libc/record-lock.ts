// Record locks: those of container engines, which flock knows nothing of.

import { constants, platform } from "node:os";
import type { FlockOutcome, FlockWish } from "./flock.ts";
import { openLibrary } from "./library.ts";

/**
 * Locks all of an open file as container engines do, against all others who ask in this way or by
 * POSIX record locks, until the descriptor is closed. It does not conflict with `flock`. Linux only.
 *
 * Answers `held` if somebody else has it now. A shared lock takes a descriptor that can be read,
 * an exclusive one a descriptor that can be written.
 */
export function recordLock(descriptor: number, wish: FlockWish): FlockOutcome {
  call ??= open() ?? "none";
  if (call === "none") return "unavailable";
  const error = call(descriptor, operations[wish]);
  if (error === 0) return "done";
  const held = error === constants.errno.EAGAIN || error === constants.errno.EACCES;
  return held ? "held" : "unavailable";
}

/** F_RDLCK, F_WRLCK and F_UNLCK. */
const operations: Readonly<Record<FlockWish, number>> = { shared: 0, exclusive: 1, release: 2 };

/** F_OFD_SETLK: the lock belongs to what is open, not to the process. */
const openFileLock = 37;

/** Returns 0, or the number of the error. */
type Call = (descriptor: number, operation: number) => number;

let call: Call | "none" | undefined;

function open(): Call | undefined {
  // Elsewhere the command has another number, and its arguments travel otherwise.
  if (platform() !== "linux") return undefined;
  const library = openLibrary({ fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } });
  if (library === undefined) return undefined;
  const { calls, errno } = library;
  const lockOrError: Call = (descriptor, operation) => {
    // struct flock: the type, SEEK_SET, from 0 to the end, and 0 for the process. See fcntl(2).
    const region = new Uint8Array(32);
    region[0] = operation;
    return calls.fcntl(descriptor, openFileLock, region) === 0 ? 0 : errno();
  };
  // The self-test: a descriptor that cannot exist has to be refused for exactly that reason.
  return lockOrError(-1, operations.shared) === constants.errno.EBADF ? lockOrError : undefined;
}
