// System: errors of the operating system as Failures.

import { asFailure, type Failure } from "../../core/failure.ts";

/** Runs work that asks the operating system, and translates what it answers. */
export function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asFailure(error);
  }
}

/** Returns an error as a Failure that names `path`, as calls by descriptor do not: `write PATH: …`. */
export function failureAt(path: string, error: unknown): Failure {
  if (!(error instanceof Error) || ("path" in error && error.path !== undefined)) {
    return asFailure(error);
  }
  // Writing several pieces at once is writing, to whoever reads the message.
  const syscall = "syscall" in error && error.syscall === "writev" ? { syscall: "write" } : {};
  return asFailure(Object.assign(error, { path, ...syscall }));
}

/** Tells whether the operating system answered with this error, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
