// File objects: files and links in a repository, in the form that its mode asks for.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { constants as zlib, deflateRawSync } from "node:zlib";
import { constants as system } from "node:os";
import { asFailure, Failure } from "../../core/failure.ts";
import { cString } from "../shared/contained-tree.ts";
import { systemError } from "../shared/libc/library.ts";
import { fillTimes, timesBytes, treeCalls } from "../shared/libc/tree-calls.ts";
import { setXattr } from "../shared/libc/xattrs.ts";
import { failureAt } from "../shared/system.ts";
import type { KeptFile } from "./layer-tree.ts";
import {
  encodeFileHeader,
  encodeMeta,
  encodePackedHeader,
  type FileMeta,
  parseChecksum,
} from "./objects.ts";
import type { RepositoryMode } from "./repository.ts";
import type { StagedObjects } from "./staged-objects.ts";

/** Where a bare-user repository keeps what its files do not have themselves. */
export const userMetaName = "user.ostreemeta";

/** A regular file on its way to other staged objects. Disposing gives it up, unless it is complete. */
export class FileObject implements Disposable {
  readonly #staged: StagedObjects;
  readonly #meta: FileMeta;
  readonly #size: number;
  readonly #path: string;
  readonly #file: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");

  /** Begins a file of so many bytes. Fails with `io`. */
  constructor(staged: StagedObjects, meta: FileMeta, size: number) {
    this.#staged = staged;
    this.#meta = meta;
    this.#size = size;
    this.#path = staged.temporaryPath();
    this.#hasher.update(encodeFileHeader(meta, ""));
    try {
      this.#file = openSync(this.#path, "wx", 0o600);
    } catch (error) {
      throw asFailure(error);
    }
    if (staged.mode === "archive") this.#put(encodePackedHeader(meta, "", size));
  }

  /** Writes the next of the content. Fails with `io`. */
  write(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
    if (this.#staged.mode !== "archive") return this.#put(bytes);
    // Ended at a byte, and open for more.
    this.#put(deflateRawSync(bytes, { finishFlush: zlib.Z_SYNC_FLUSH }));
  }

  /** Adds the file, whose content has been written, to the others. Fails with `io`. */
  complete(): KeptFile {
    const checksum = parseChecksum(this.#hasher.digest("hex"));
    const packed = this.#staged.mode === "archive";
    if (this.#staged.has(checksum, "file", packed ? undefined : this.#size)) {
      return { checksum, size: this.#size };
    }
    if (packed) this.#put(lastBlock);
    try {
      this.#describe();
    } catch (error) {
      throw unowned(error, this.#staged);
    }
    this.#staged.add(this.#path, checksum, "file");
    return { checksum, size: this.#size };
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }

  #put(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw failureAt(this.#path, error);
    }
  }

  #describe(): void {
    const { mode } = this.#staged;
    const calls = treeCalls();
    const checked = (result: number, call: string) => {
      if (result < 0) throw systemError(-result, call, this.#path);
    };
    const { uid, gid, xattrs } = this.#meta;
    if (mode === "bare") {
      checked(calls.setOwnerOf(this.#file, uid, gid), "chown");
      checked(calls.setModeOf(this.#file, this.#meta.mode & 0o7777), "chmod");
      for (const [name, value] of xattrs) {
        checked(setXattr(this.#file, cString(name), value), "setxattr");
      }
    } else {
      const readable = mode === "archive" ? 0o644 : (this.#meta.mode & 0o755) | 0o644;
      checked(calls.setModeOf(this.#file, readable), "chmod");
    }
    if (mode === "bare-user") {
      checked(setXattr(this.#file, cString(userMetaName), encodeMeta(this.#meta)), "setxattr");
    }
    checked(calls.setTimesOf(this.#file, noTime()), "utimensat");
  }
}

/** The empty block that ends what is deflated. */
const lastBlock = new Uint8Array([0x03, 0x00]);

/** Returns 1970, which all files have: what they are does not depend on when. */
function noTime(): Uint8Array {
  const times = new Uint8Array(timesBytes);
  fillTimes(times, 0n, 0n);
  return times;
}

/** Writes a symbolic link. Fails with `io`. */
export function writeLink(staged: StagedObjects, meta: FileMeta, target: string): KeptFile {
  const header = encodeFileHeader(meta, target);
  const checksum = parseChecksum(Bun.CryptoHasher.hash("sha256", header, "hex"));
  if (staged.has(checksum, "file")) return { checksum, size: 0, target };
  const path = staged.temporaryPath();
  try {
    if (staged.mode === "bare") makeLink(path, meta, target);
    else writeLinkFile({ path, mode: staged.mode, meta }, target);
    staged.add(path, checksum, "file");
  } catch (error) {
    rmSync(path, { force: true });
    throw unowned(error, staged);
  }
  return { checksum, size: 0, target };
}

function makeLink(path: string, { uid, gid }: FileMeta, target: string): void {
  const calls = treeCalls();
  const [directory, name] = [-100, Buffer.from(`${path}\0`)];
  const results = [
    calls.makeSymbolicLink(Buffer.from(`${target}\0`), directory, name),
    calls.setOwner(directory, name, uid, gid),
    calls.setTimes(directory, name, noTime()),
  ];
  for (const result of results) {
    if (result < 0) throw systemError(-result, "symlink", path);
  }
}

interface LinkFile {
  readonly path: string;
  readonly mode: RepositoryMode;
  readonly meta: FileMeta;
}

function writeLinkFile({ path, mode, meta }: LinkFile, target: string): void {
  const file = openSync(path, "wx", 0o644);
  try {
    const archived = mode === "archive";
    const bytes = archived ? encodePackedHeader(meta, target, 0) : Buffer.from(`${target}\0`);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    const result = archived ? 0 : setXattr(file, cString(userMetaName), encodeMeta(meta));
    if (result < 0) throw systemError(-result, "setxattr", path);
    treeCalls().setTimesOf(file, noTime());
  } finally {
    closeSync(file);
  }
}

/** Files of others can be kept by nobody but root, unless the repository keeps only who they belong to. */
function unowned(error: unknown, { mode, path }: StagedObjects): Failure {
  const failure = asFailure(error);
  const refused = error instanceof Error && "errno" in error && error.errno === system.errno.EPERM;
  if (!refused || mode !== "bare") return failure;
  return new Failure(failure.code, failure.message, {
    hint: `run as root, or make ${path} a repository of the mode bare-user`,
    cause: error,
  });
}
