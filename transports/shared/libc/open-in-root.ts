// Opening in a root: files of a stranger's tree, opened as if that tree were all there is.

import { constants, platform } from "node:os";
import { openLibrary } from "./library.ts";

/**
 * Opens a file below an open directory, and returns its descriptor or, if it cannot, the negative number of
 * the error: that of ENOSYS where the system has no such thing. Linux only. `path` ends with a NUL; `flags`
 * are those of open(2), for what is there already.
 *
 * Symbolic links are followed as if that directory were the root: nothing outside is ever opened.
 */
export function openInRoot(directory: number, path: Uint8Array, flags: number): number {
  call ??= open() ?? "none";
  return call === "none" ? -constants.errno.ENOSYS : call(directory, path, flags);
}

/** Returns a descriptor, or the number of the error as a negative number. */
type Call = (directory: number, path: Uint8Array, flags: number) => number;

let call: Call | "none" | undefined;

/** The number of the system call is the same on all machines, unlike those of older ones. */
const openat2 = 437;

/** O_CLOEXEC; RESOLVE_IN_ROOT with RESOLVE_NO_MAGICLINKS. */
const closeOnExec = 0o2000000;
const inRoot = 0x10n | 0x02n;

/** Somebody renamed something on the way: asked for again, but not for ever. */
const attempts = 32;

function open(): Call | undefined {
  if (platform() !== "linux") return undefined;
  const library = openLibrary({
    syscall: { args: ["i64", "i32", "ptr", "ptr", "u64"], returns: "i32" },
  });
  if (library === undefined) return undefined;
  const { calls, errno } = library;
  const openOrError: Call = (directory, path, flags) => {
    // struct open_how: flags, mode, resolve. See openat2(2).
    const how = new BigUint64Array([BigInt(flags | closeOnExec), 0n, inRoot]);
    for (let left = attempts; ; left -= 1) {
      const opened = calls.syscall(openat2, directory, path, how, how.byteLength);
      if (opened >= 0) return opened;
      const error = errno();
      if (error !== constants.errno.EAGAIN || left === 0) return -error;
    }
  };
  // The self-test: a descriptor that cannot exist has to be refused for exactly that reason. An older
  // system answers ENOSYS, and one that forbids unknown calls EPERM.
  const refusal = openOrError(-1, new Uint8Array([0x61, 0]), 0);
  return refusal === -constants.errno.EBADF ? openOrError : undefined;
}
