// Tree calls: what can be done to the names in an open directory.
//
// Everything is relative to a descriptor, so that nobody can be led elsewhere by a path that changes
// meanwhile, and exact: owners, modes with all their bits, and times to the nanosecond.

import { constants, platform } from "node:os";
import { Failure } from "../../../core/failure.ts";
import { openLibrary } from "./library.ts";
import { type MakeNode, olderMakeNode, olderReadStatus, type ReadStatus } from "./older-calls.ts";

/**
 * Calls relative to an open directory. Linux only.
 *
 * Each returns what the system does: 0 or more if it has worked, and the negative number of the error if
 * not. A name ends with a NUL, and is that of a link itself where there is one. `O_CLOEXEC` is added.
 */
export interface TreeCalls {
  /** Returns a descriptor. `mode` counts for a file that is made. */
  open(directory: number, name: Uint8Array, flags: number, mode: number): number;
  close(descriptor: number): number;
  makeDirectory(directory: number, name: Uint8Array, mode: number): number;
  /** `mode` tells what it is, too. */
  makeNode(directory: number, name: Uint8Array, node: NodeToMake): number;
  makeSymbolicLink(target: Uint8Array, directory: number, name: Uint8Array): number;
  makeHardLink(from: NameIn, to: NameIn): number;
  readLink(directory: number, name: Uint8Array, target: Uint8Array): number;
  removeFile(directory: number, name: Uint8Array): number;
  removeDirectory(directory: number, name: Uint8Array): number;
  setOwner(directory: number, name: Uint8Array, uid: number, gid: number): number;
  /** Follows a link. */
  setMode(directory: number, name: Uint8Array, mode: number): number;
  setTimes(directory: number, name: Uint8Array, times: Uint8Array): number;
  setOwnerOf(descriptor: number, uid: number, gid: number): number;
  setModeOf(descriptor: number, mode: number): number;
  setTimesOf(descriptor: number, times: Uint8Array): number;
  /** Fills what `statusOf` reads. An empty name means the descriptor itself. */
  readStatus(directory: number, name: Uint8Array, status: Uint8Array): number;
}

/** A device, a pipe or a socket to be made. */
export interface NodeToMake {
  readonly mode: number;
  readonly device: bigint;
}

/** A name in an open directory. */
export interface NameIn {
  readonly directory: number;
  readonly name: Uint8Array;
}

/** What a name stands for. */
export interface FileStatus {
  /** With the bits that tell what it is. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** How many names it has. */
  readonly links: number;
  readonly inode: bigint;
  /** Which device it is, if it is one. */
  readonly device: bigint;
  /** In nanoseconds since 1970. */
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
}

/** How many bytes `readStatus` fills. */
export const statusBytes = 256;

/** Reads what `readStatus` has filled: a struct statx, which is the same on all machines. */
export function statusOf(bytes: Uint8Array): FileStatus {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    mode: view.getUint16(28, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: Number(view.getBigUint64(40, true)),
    links: view.getUint32(16, true),
    inode: view.getBigUint64(32, true),
    device: deviceNumber(view.getUint32(128, true), view.getUint32(132, true)),
    accessedNs: timeAt(view, 64),
    modifiedNs: timeAt(view, 112),
  };
}

function timeAt(view: DataView, offset: number): bigint {
  return view.getBigInt64(offset, true) * second + BigInt(view.getUint32(offset + 8, true));
}

/** The bits of a mode that tell what it is, and what they say. */
export const fileKinds = {
  mask: 0o170000,
  fifo: 0o010000,
  characterDevice: 0o020000,
  directory: 0o040000,
  blockDevice: 0o060000,
  regular: 0o100000,
  symbolicLink: 0o120000,
} as const;

/** Returns the number of a device as the system has it. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n)
  );
}

/** Fills the two times that `setTimes` takes, in nanoseconds since 1970. */
export function fillTimes(times: Uint8Array, accessedNs: bigint, modifiedNs: bigint): void {
  const view = new DataView(times.buffer, times.byteOffset, times.length);
  for (const [index, time] of [accessedNs, modifiedNs].entries()) {
    const nanoseconds = BigInt.asUintN(64, ((time % second) + second) % second);
    view.setBigInt64(16 * index, (time - nanoseconds) / second, true);
    view.setBigInt64(16 * index + 8, nanoseconds, true);
  }
}

const second = 1_000_000_000n;

/** How many bytes `fillTimes` fills. */
export const timesBytes = 32;

/** Returns the calls. Fails with `unsupported` where they are not to be had. */
export function treeCalls(): TreeCalls {
  opened ??= openCalls() ?? "none";
  if (opened !== "none") return opened;
  throw new Failure("unsupported", "Cannot write trees of files on this system", {
    hint: "use Linux, or keep images in oci: or dir:",
  });
}

let opened: TreeCalls | "none" | undefined;

const closeOnExec = 0o2000000;
const symlinkItself = 0x100;
const emptyPath = 0x1000;
const removesDirectory = 0x200;
/** STATX_BASIC_STATS. */
const basicStatus = 0x7ff;

/** The signatures of the functions, by their names in the C library. */
function library() {
  return openLibrary({
    openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
    symlinkat: { args: ["ptr", "i32", "ptr"], returns: "i32" },
    linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
    readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
    unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
    fchownat: { args: ["i32", "ptr", "u32", "u32", "i32"], returns: "i32" },
    fchmodat: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
    utimensat: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
    fchown: { args: ["i32", "u32", "u32"], returns: "i32" },
    fchmod: { args: ["i32", "u32"], returns: "i32" },
    futimens: { args: ["i32", "ptr"], returns: "i32" },
  });
}

function makeNode(): MakeNode | undefined {
  const signature = { args: ["i32", "ptr", "u32", "u64"], returns: "i32" } as const;
  return openLibrary({ mknodat: signature })?.calls.mknodat ?? olderMakeNode();
}

function readStatus(): ReadStatus | undefined {
  const signature = { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" } as const;
  return openLibrary({ statx: signature })?.calls.statx ?? olderReadStatus();
}

function openCalls(): TreeCalls | undefined {
  if (platform() !== "linux") return undefined;
  const [found, mknodat, statx] = [library(), makeNode(), readStatus()];
  if (found === undefined || mknodat === undefined || statx === undefined) return undefined;
  const { calls: c, errno } = found;
  const answer = (result: number): number => (result >= 0 ? result : -errno());
  const calls: TreeCalls = {
    open: (directory, name, flags, mode) =>
      answer(c.openat(directory, name, flags | closeOnExec, mode)),
    close: (descriptor) => answer(c.close(descriptor)),
    makeDirectory: (directory, name, mode) => answer(c.mkdirat(directory, name, mode)),
    makeNode: (directory, name, node) => answer(mknodat(directory, name, node.mode, node.device)),
    makeSymbolicLink: (target, directory, name) => answer(c.symlinkat(target, directory, name)),
    makeHardLink: (from, to) =>
      answer(c.linkat(from.directory, from.name, to.directory, to.name, 0)),
    readLink: (directory, name, target) =>
      answer(c.readlinkat(directory, name, target, target.length)),
    removeFile: (directory, name) => answer(c.unlinkat(directory, name, 0)),
    removeDirectory: (directory, name) => answer(c.unlinkat(directory, name, removesDirectory)),
    setOwner: (directory, name, uid, gid) =>
      answer(c.fchownat(directory, name, uid, gid, symlinkItself)),
    setMode: (directory, name, mode) => answer(c.fchmodat(directory, name, mode, 0)),
    setTimes: (directory, name, times) =>
      answer(c.utimensat(directory, name, times, symlinkItself)),
    setOwnerOf: (descriptor, uid, gid) => answer(c.fchown(descriptor, uid, gid)),
    setModeOf: (descriptor, mode) => answer(c.fchmod(descriptor, mode)),
    setTimesOf: (descriptor, times) => answer(c.futimens(descriptor, times)),
    readStatus: (directory, name, status) =>
      answer(statx(directory, name, symlinkItself | emptyPath, basicStatus, status)),
  };
  return isAsExpected(calls) ? calls : undefined;
}

/** The self-test: a descriptor that cannot exist is refused for that reason, and `/` is a directory. */
function isAsExpected(calls: TreeCalls): boolean {
  const name = new Uint8Array([0x61, 0]);
  const times = new Uint8Array(timesBytes);
  const status = new Uint8Array(statusBytes);
  const target = new Uint8Array(8);
  const refusals = [
    calls.open(-1, name, 0, 0),
    calls.close(-1),
    calls.makeDirectory(-1, name, 0o700),
    calls.makeNode(-1, name, { mode: fileKinds.fifo, device: 0n }),
    calls.makeSymbolicLink(name, -1, name),
    calls.makeHardLink({ directory: -1, name }, { directory: -1, name }),
    calls.readLink(-1, name, target),
    calls.removeFile(-1, name),
    calls.removeDirectory(-1, name),
    calls.setOwner(-1, name, 0, 0),
    calls.setMode(-1, name, 0),
    calls.setTimes(-1, name, times),
    calls.setOwnerOf(-1, 0, 0),
    calls.setModeOf(-1, 0),
    calls.setTimesOf(-1, times),
    calls.readStatus(-1, name, status),
  ];
  if (!refusals.every((each) => each === -constants.errno.EBADF)) return false;
  const root = new Uint8Array([0x2f, 0]);
  return (
    calls.readStatus(-1, root, status) === 0 &&
    (statusOf(status).mode & fileKinds.mask) === fileKinds.directory
  );
}
