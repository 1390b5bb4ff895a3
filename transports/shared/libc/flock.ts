// Flock: locks on what open descriptors stand for.

import { constants } from "node:os";
import { openLibrary } from "./library.ts";

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
  call ??= open() ?? "none";
  if (call === "none") return "unavailable";
  const error = call(descriptor, operations[wish]);
  if (error === 0) return "done";
  return error === constants.errno.EWOULDBLOCK ? "held" : "unavailable";
}

/** LOCK_SH, LOCK_EX and LOCK_UN, the first two with LOCK_NB: the same on every Unix. */
const operations: Readonly<Record<FlockWish, number>> = { shared: 5, exclusive: 6, release: 8 };

/** Returns 0, or the number of the error. */
type Call = (descriptor: number, operation: number) => number;

let call: Call | "none" | undefined;

function open(): Call | undefined {
  const library = openLibrary({ flock: { args: ["i32", "i32"], returns: "i32" } });
  if (library === undefined) return undefined;
  const { calls, errno } = library;
  const flockOrError: Call = (descriptor, operation) =>
    calls.flock(descriptor, operation) === 0 ? 0 : errno();
  // The self-test: a descriptor that cannot exist has to be refused for exactly that reason.
  return flockOrError(-1, operations.release) === constants.errno.EBADF ? flockOrError : undefined;
}
