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
  return asFailure(Object.assign(error, { path, ...plainCall(error) }));
}

/** To whoever reads the message, writing several pieces at once, or at an offset, is writing. */
function plainCall(error: Error): { readonly syscall?: string } {
  const called = "syscall" in error ? String(error.syscall) : "";
  const plain = /^p?(read|write)v?$/.exec(called)?.[1];
  return plain === undefined ? {} : { syscall: plain };
}

/** Tells whether the operating system answered with this error, such as `ENOENT`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
