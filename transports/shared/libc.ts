// libc: the system calls that Bun lacks.

import { dlopen, read } from "bun:ffi";
import { platform } from "node:os";
import { getSystemErrorName } from "node:util";

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

/**
 * Locks all of an open file as container engines do, against all others who ask in this way or by
 * POSIX record locks, until the descriptor is closed. It does not conflict with `flock`. Linux only.
 *
 * Answers `held` if somebody else has it now. A shared lock takes a descriptor that can be read,
 * an exclusive one a descriptor that can be written.
 */
export function recordLock(descriptor: number, wish: FlockWish): FlockOutcome {
  linux ??= openLinux() ?? "none";
  if (linux === "none") return "unavailable";
  const error = linux.lock(descriptor, recordOperations[wish]);
  if (error === 0) return "done";
  return error === linuxErrors.EAGAIN || error === linuxErrors.EACCES ? "held" : "unavailable";
}

/** F_RDLCK, F_WRLCK and F_UNLCK. */
const recordOperations: Readonly<Record<FlockWish, number>> = {
  shared: 0,
  exclusive: 1,
  release: 2,
};

/** Brings everything to the disk that was written to the file system of an open file. Linux only. */
export function syncFileSystem(descriptor: number): void {
  const error = linuxCalls().sync(descriptor);
  if (error !== 0) throw systemError(error, "syncfs");
}

/**
 * Opens a file below an open directory for reading, and returns its descriptor. Linux only.
 *
 * Symbolic links are followed as if that directory were the root: nothing outside is ever opened. A
 * pipe does not block. Fails as the functions of node:fs do, with the system's `code`.
 */
export function openInRoot(directory: number, path: Uint8Array): number {
  const text = new Uint8Array(path.length + 1);
  text.set(path);
  const opened = linuxCalls().openInRoot(directory, text);
  if (opened < 0) throw systemError(-opened, "open");
  return opened;
}

/** As the functions of node:fs fail, but for the path. */
function systemError(error: number, syscall: string): Error {
  const code = getSystemErrorName(-error);
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
}

interface LinuxCalls {
  /** Returns 0, or the number of the error. */
  lock(descriptor: number, operation: number): number;
  /** Returns 0, or the number of the error. */
  sync(descriptor: number): number;
  /** Returns a descriptor, or the number of the error as a negative number. */
  openInRoot(directory: number, path: Uint8Array): number;
}

const linuxErrors = { EBADF: 9, EAGAIN: 11, EACCES: 13 } as const;

let linux: LinuxCalls | "none" | undefined;

function linuxCalls(): LinuxCalls {
  linux ??= openLinux() ?? "none";
  if (linux !== "none") return linux;
  throw systemError(linuxErrorOfNone, "dlopen");
}

/** ENOSYS. */
const linuxErrorOfNone = 38;

function openLinux(): LinuxCalls | undefined {
  if (platform() !== "linux") return undefined;
  try {
    const { symbols } = dlopen("libc.so.6", {
      fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" },
      syncfs: { args: ["i32"], returns: "i32" },
      syscall: { args: ["i64", "i64", "ptr", "ptr", "u64"], returns: "i64" },
      __errno_location: { args: [], returns: "ptr" },
    });
    const lastError = (): number => {
      const at = symbols.__errno_location();
      return at === null ? linuxErrors.EBADF : read.i32(at, 0);
    };
    // struct open_how: flags, mode, and RESOLVE_IN_ROOT. See openat2(2).
    const how = new BigUint64Array([BigInt(0o2000000 | 0o4000), 0n, 0x10n]);
    const calls: LinuxCalls = {
      lock(descriptor, operation) {
        // struct flock: the type, SEEK_SET, from 0 to the end, and 0 for the process. See fcntl(2).
        const region = new Uint8Array(32);
        region[0] = operation;
        return symbols.fcntl(descriptor, openFileLock, region) === 0 ? 0 : lastError();
      },
      sync: (descriptor) => (symbols.syncfs(descriptor) === 0 ? 0 : lastError()),
      openInRoot(directory, path) {
        const opened = Number(symbols.syscall(openat2, directory, path, how, how.byteLength));
        return opened >= 0 ? opened : -lastError();
      },
    };
    // The self-test: a descriptor that cannot exist has to be refused for exactly that reason.
    const anyName = new Uint8Array([0x61, 0]);
    const refusals = [calls.lock(-1, 0), calls.sync(-1), -calls.openInRoot(-1, anyName)];
    return refusals.every((error) => error === linuxErrors.EBADF) ? calls : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** F_OFD_SETLK, and the number of a system call that is the same on all machines. */
const openFileLock = 37;
const openat2 = 437;

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
