// Extended attributes: names and values that a file has besides its content.

import { constants, platform } from "node:os";
import { openLibrary, systemError } from "./library.ts";

/** The extended attributes of a file: values by name, a byte a character as in Latin-1. */
export type Xattrs = ReadonlyMap<string, Uint8Array>;

/**
 * Sets an attribute of an open file, or of what `path` names, without following a link. Linux only.
 *
 * Returns 0, or the negative number of the error. `path` and `name` end with a NUL.
 */
export function setXattr(file: number | Uint8Array, name: Uint8Array, value: Uint8Array): number {
  const { calls, errno } = library();
  // No address can be taken of nothing.
  const bytes = value.length === 0 ? anything : value;
  const result =
    typeof file === "number"
      ? calls.fsetxattr(file, name, bytes, value.length, 0)
      : calls.lsetxattr(file, name, bytes, value.length, 0);
  return result === 0 ? 0 : -errno();
}

/**
 * Reads all attributes of what `path` names, which ends with a NUL, without following a link. Linux only.
 *
 * Fails as the functions of node:fs do. Where the file system has none, there are none.
 */
export function readXattrs(path: Uint8Array): Xattrs {
  const { calls, errno } = library();
  const found = new Map<string, Uint8Array>();
  const names = new Uint8Array(largestBytes);
  const count = calls.llistxattr(path, names, names.length);
  if (count < 0) {
    const error = errno();
    if (error === constants.errno.ENOTSUP) return found;
    throw systemError(error, "llistxattr", textOf(path));
  }
  for (const name of Buffer.from(names.subarray(0, count)).toString("latin1").split("\0")) {
    if (name === "") continue;
    const value = new Uint8Array(largestBytes);
    const size = calls.lgetxattr(path, Buffer.from(`${name}\0`, "latin1"), value, value.length);
    const error = size < 0 ? errno() : 0;
    // Removed meanwhile, or not for our eyes.
    if (error === constants.errno.ENODATA) continue;
    if (error !== 0) throw systemError(error, "lgetxattr", textOf(path));
    found.set(name, value.slice(0, size));
  }
  return found;
}

/** What the system allows of values, and of all names of a file. */
const largestBytes = 64 * 1024;

const anything = new Uint8Array(1);

let opened: ReturnType<typeof open>;

function library(): NonNullable<ReturnType<typeof open>> {
  opened ??= open();
  if (opened === undefined) throw systemError(constants.errno.ENOSYS, "lgetxattr");
  return opened;
}

function open() {
  if (platform() !== "linux") return undefined;
  const found = openLibrary({
    fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i32" },
    lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i32" },
  });
  if (found === undefined) return undefined;
  // The self-test: what cannot exist has to be refused for exactly that reason.
  const { calls, errno } = found;
  const name = Buffer.from("user.a\0");
  const nowhere = Buffer.from("/proc/no-such-file\0");
  const fine =
    calls.fsetxattr(-1, name, anything, 1, 0) === -1 &&
    errno() === constants.errno.EBADF &&
    calls.lsetxattr(nowhere, name, anything, 1, 0) === -1 &&
    errno() === constants.errno.ENOENT &&
    calls.llistxattr(nowhere, anything, 1) === -1 &&
    errno() === constants.errno.ENOENT &&
    calls.lgetxattr(nowhere, name, anything, 1) === -1 &&
    errno() === constants.errno.ENOENT;
  return fine ? found : undefined;
}

function textOf(path: Uint8Array): string {
  return new TextDecoder().decode(path.subarray(0, -1));
}
