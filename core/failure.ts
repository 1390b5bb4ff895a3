// Failure: the one error whose message is meant for the user, and `during`, which gives it context.

/** What kind of failure it is: for programs, as the message is for people. */
export type FailureCode =
  | "usage" // The command line cannot be understood.
  | "config" // A configuration file is missing, malformed or contradicts itself.
  | "not-found" // The input image does not exist.
  | "unauthorized" // The registry wants credentials, or refuses these.
  | "refused" // The other side understood, and said no for a reason of its own.
  | "rejected" // The trust policy refuses the image.
  | "corrupt" // Bytes do not match their digest, size or format.
  | "unsupported" // A sensible request that this transport or format cannot carry out.
  | "unavailable" // The other side cannot be reached or is overloaded; trying again may help.
  | "incomplete" // Some of what was asked for was done, and some has failed.
  | "canceled" // The user or a timeout stopped the work.
  | "io" // The operating system refused: no space, no permission, no such file.
  | "bug"; // This program contradicted itself.

/** Which of the two places an operation was talking to. */
export type Side = "source" | "destination";

/** What a Failure carries besides its code and message. */
export interface FailureDetails {
  /** One phrase on what to do next, starting in lower case. */
  readonly hint?: string | undefined;
  readonly side?: Side | undefined;
  readonly cause?: unknown;
  /** Digests that the destination named as missing when it refused a manifest; empty if it named none. */
  readonly missingBlobs?: readonly string[] | undefined;
}

/** An error whose message is meant for the user. Anything else that reaches the top is a bug. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly side: Side | undefined;
  /** Absent unless the destination refused a manifest because blobs are missing. */
  readonly missingBlobs: readonly string[] | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "Failure";
    this.code = code;
    this.hint = details.hint;
    this.side = details.side;
    this.missingBlobs = details.missingBlobs;
  }
}

/**
 * Runs one step and, where it fails, says which step it was: `step: message`.
 *
 * The code and the hint of the failure are kept. A `step` is named in lower case, as what was being done.
 */
export async function during<T>(step: string, work: () => Promise<T> | T, side?: Side): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inContext(step, error, side);
  }
}

/** Returns the failure with `step: ` before its message, keeping all else. */
export function inContext(step: string, error: unknown, side?: Side): Failure {
  const failure = asFailure(error);
  return new Failure(failure.code, `${step}: ${failure.message}`, {
    hint: failure.hint,
    side: failure.side ?? side,
    cause: failure,
    missingBlobs: failure.missingBlobs,
  });
}

/**
 * Returns `error` as a Failure: itself, `canceled` for an abort, `io` for an error of the operating
 * system, and `bug` for everything else. Of two errors, where disposing failed as well, the first counts.
 */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return new Failure("bug", String(error), { cause: error });
  // What went wrong while things were put away would only hide what led here.
  if ("suppressed" in error && error.name === "SuppressedError") return asFailure(error.suppressed);
  if (error.name === "AbortError") return new Failure("canceled", "canceled", { cause: error });
  if (error.name === "TimeoutError") {
    return new Failure("canceled", "context deadline exceeded", { cause: error });
  }
  if (isSystemError(error)) return fromSystem(error);
  return new Failure("bug", error.message, { cause: error });
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
}

function isSystemError(error: Error): error is SystemError {
  return "code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code);
}

/** What scripts already match on: the wording of the C library. */
const systemWords: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  ENAMETOOLONG: "file name too long",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  EROFS: "read-only file system",
  EXDEV: "invalid cross-device link",
  ENOSYS: "function not implemented",
};

const systemHints: Readonly<Record<string, string>> = {
  EACCES: "check who may read and write there",
  EDQUOT: "free some space there, or write somewhere else",
  ENOSPC: "free some space there, or write somewhere else",
  EROFS: "write to a file system that is not read-only",
};

function fromSystem(error: SystemError): Failure {
  const words = systemWords[error.code] ?? error.message;
  const call = [error.syscall, error.path].filter((part) => part !== undefined).join(" ");
  const message = call === "" ? words : `${call}: ${words}`;
  return new Failure("io", message, { hint: systemHints[error.code], cause: error });
}
