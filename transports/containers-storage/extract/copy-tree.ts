// Copying trees: the files of the layer below, on which a vfs layer is unpacked.

import { constants, copyFileSync, openSync, closeSync } from "node:fs";
import { constants as system } from "node:os";
import { asFailure } from "../../../core/failure.ts";
import { cString } from "../../shared/contained-tree.ts";
import { systemError } from "../../shared/libc/library.ts";
import {
  fileKinds,
  type FileStatus,
  fillTimes,
  type NameIn,
  statusBytes,
  statusOf,
  timesBytes,
  treeCalls,
} from "../../shared/libc/tree-calls.ts";
import { readXattrs, setXattr } from "../../shared/libc/xattrs.ts";
import { namesIn, pathOf } from "./remove-tree.ts";

/** What is copied, and how. */
export interface TreeCopy {
  readonly from: string;
  /** A directory that is there, and empty. It gets the mode, the owner and the times of the other one. */
  readonly to: string;
  /** Whether this runs in a user namespace: what the system refuses to give there is left out. */
  readonly rootless: boolean;
}

/**
 * Copies all that is below a directory: content, owners, modes, times, attributes, and which names stand for
 * one file. Nothing is followed. Content is shared where the file system can do that. Fails with `io`.
 */
export async function copyTree(copy: TreeCopy, signal?: AbortSignal): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  try {
    const from = openSync(copy.from, flags);
    try {
      const to = openSync(copy.to, flags);
      try {
        await new Copier(copy, signal).directory({ from, to, path: "" });
      } finally {
        closeSync(to);
      }
    } finally {
      closeSync(from);
    }
  } catch (error) {
    throw asFailure(error);
  }
}

const entriesAtOnce = 200;

/** The two sides of a directory. */
interface Pair {
  readonly from: number;
  readonly to: number;
  /** As failures name it, from the top of both trees. */
  readonly path: string;
}

class Copier {
  readonly #calls = treeCalls();
  readonly #copy: TreeCopy;
  readonly #signal: AbortSignal | undefined;
  readonly #status = new Uint8Array(statusBytes);
  readonly #times = new Uint8Array(timesBytes);
  /** Where files are that have several names, by their number in the tree that is copied. */
  readonly #copied = new Map<bigint, string>();
  #count = 0;

  constructor(copy: TreeCopy, signal: AbortSignal | undefined) {
    this.#copy = copy;
    this.#signal = signal;
  }

  async directory(pair: Pair): Promise<void> {
    for (const each of namesIn(pair.from)) {
      await this.#breathe();
      await this.#entry(pair, each);
    }
    const self = cString(".");
    const status = this.#look({ directory: pair.from, name: self }, pair.path);
    this.#describe(
      { directory: pair.from, name: self },
      { directory: pair.to, name: self },
      { status, path: pair.path },
    );
  }

  /** Lets signals come through: the calls themselves wait for nobody. */
  async #breathe(): Promise<void> {
    this.#count += 1;
    if (this.#count % entriesAtOnce === 0) await new Promise((done) => setImmediate(done));
    this.#signal?.throwIfAborted();
  }

  async #entry(pair: Pair, each: string): Promise<void> {
    const name = cString(each);
    const path = pair.path === "" ? each : `${pair.path}/${each}`;
    const from = { directory: pair.from, name };
    const to = { directory: pair.to, name };
    const status = this.#look(from, path);
    const kind = status.mode & fileKinds.mask;
    if (kind === fileKinds.directory) {
      this.#checked(this.#calls.makeDirectory(pair.to, name, 0o700), "mkdir", path);
      await this.#descend(pair, name, path);
      return;
    }
    const earlier = this.#copied.get(status.inode);
    if (earlier !== undefined) {
      const target = {
        directory: atPath,
        name: Buffer.from(`${this.#copy.to}/${earlier}\0`, "latin1"),
      };
      this.#checked(this.#calls.makeHardLink(target, to), "link", path);
      return;
    }
    if (status.links > 1) this.#copied.set(status.inode, path);
    this.#make(from, to, { status, path });
    this.#describe(from, to, { status, path });
  }

  async #descend(pair: Pair, name: Uint8Array, path: string): Promise<void> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const from = this.#checked(this.#calls.open(pair.from, name, flags, 0), "open", path);
    try {
      const to = this.#checked(this.#calls.open(pair.to, name, flags, 0), "open", path);
      try {
        await this.directory({ from, to, path });
      } finally {
        this.#calls.close(to);
      }
    } finally {
      this.#calls.close(from);
    }
  }

  #make(from: NameIn, to: NameIn, { status, path }: Described): void {
    const kind = status.mode & fileKinds.mask;
    if (kind === fileKinds.regular) {
      const how = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
      copyFileSync(
        Buffer.from(pathOf(from)).subarray(0, -1),
        Buffer.from(pathOf(to)).subarray(0, -1),
        how,
      );
    } else if (kind === fileKinds.symbolicLink) {
      const target = new Uint8Array(4096);
      const size = this.#calls.readLink(from.directory, from.name, target);
      const text = Buffer.concat([target.subarray(0, this.#checked(size, "readlink", path)), end]);
      this.#checked(this.#calls.makeSymbolicLink(text, to.directory, to.name), "symlink", path);
    } else {
      const node = { mode: kind | 0o600, device: status.device };
      this.#checked(this.#calls.makeNode(to.directory, to.name, node), "mknod", path);
    }
  }

  #describe(from: NameIn, to: NameIn, { status, path }: Described): void {
    const { directory, name } = to;
    const { mode, uid, gid, accessedNs, modifiedNs } = status;
    this.#checked(this.#calls.setOwner(directory, name, uid, gid), "lchown", path);
    if ((mode & fileKinds.mask) !== fileKinds.symbolicLink) {
      this.#checked(this.#calls.setMode(directory, name, mode & 0o7777), "chmod", path);
    }
    for (const [key, value] of readXattrs(pathOf(from))) {
      // The label is this machine's to give.
      if (key === "security.selinux") continue;
      const result = setXattr(pathOf(to), Buffer.from(`${key}\0`, "latin1"), value);
      const refused = result === -system.errno.EPERM && this.#copy.rootless;
      if (refused || result === -system.errno.ENOTSUP) continue;
      this.#checked(result, `setxattr ${key}`, path);
    }
    fillTimes(this.#times, accessedNs, modifiedNs);
    this.#checked(this.#calls.setTimes(directory, name, this.#times), "utimensat", path);
  }

  #look({ directory, name }: NameIn, path: string): FileStatus {
    this.#checked(this.#calls.readStatus(directory, name, this.#status), "lstat", path);
    return statusOf(this.#status);
  }

  #checked(result: number, call: string, path: string): number {
    if (result >= 0) return result;
    const text = Buffer.from(path, "latin1").toString("utf8");
    throw systemError(-result, call, `${this.#copy.to}/${text}`);
  }
}

interface Described {
  readonly status: FileStatus;
  readonly path: string;
}

const end = new Uint8Array(1);

/** AT_FDCWD: a path that knows of no directory. */
const atPath = -100;
