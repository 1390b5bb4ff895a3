// Repository: a directory of ostree, which keeps trees of files by what they are.

import {
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asFailure, Failure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { recordLock } from "../shared/libc/record-lock.ts";
import { syncFileSystem } from "../shared/libc/sync-file-system.ts";
import { attempt, isSystemError } from "../shared/system.ts";
import { temporaryPath } from "../shared/temporary.ts";
import {
  type Checksum,
  checksumOf,
  type Commit,
  type DirTree,
  encodeCommit,
  encodeMeta,
  encodeTree,
  type FileMeta,
  type ObjectKind,
  parseChecksum,
  parseCommit,
  parseTree,
} from "./objects.ts";

/** How a repository keeps the content of files. */
export type RepositoryMode = "bare" | "bare-user" | "archive";

const modes: Readonly<Record<string, RepositoryMode>> = {
  bare: "bare",
  "bare-user": "bare-user",
  archive: "archive",
  // What it was called at first.
  "archive-z2": "archive",
};

/** A repository that is there, and how it keeps things. */
export class Repository {
  readonly path: string;
  readonly mode: RepositoryMode;

  private constructor(path: string, mode: RepositoryMode) {
    this.path = path;
    this.mode = mode;
  }

  /** Opens a repository. Fails with `io` if there is none, and with `unsupported` if it is of another kind. */
  static async open(path: string): Promise<Repository> {
    const config = Buffer.from(await readSmallFile(join(path, "config"), limits.configFileBytes));
    const core = sectionOf(config.toString(), "core");
    const version = core.get("repo_version") ?? "";
    if (version !== "1") {
      throw new Failure(
        "unsupported",
        `${path} is not a repository of version 1, but "${version}"`,
      );
    }
    const mode = core.get("mode") ?? "bare";
    const known = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
    if (known !== undefined) return new Repository(path, known);
    throw new Failure("unsupported", `${path} is a repository of the unknown mode "${mode}"`, {
      hint: "use one of the mode bare, bare-user or archive",
    });
  }

  /** Returns where an object is, or would be. */
  objectPath(checksum: Checksum, kind: ObjectKind): string {
    const packed = kind === "file" && this.mode === "archive" ? "filez" : kind;
    return join(this.path, "objects", checksum.slice(0, 2), `${checksum.slice(2)}.${packed}`);
  }

  /**
   * Tells whether an object is there, of this size, or absent that of any: where a machine has gone down before
   * all was on the disk, some have their names and nothing else.
   */
  has(checksum: Checksum, kind: ObjectKind, size?: number): boolean {
    const path = this.objectPath(checksum, kind);
    const found = attempt(() => lstatSync(path, { throwIfNoEntry: false }));
    return found !== undefined && (size === undefined ? found.size > 0 : found.size === size);
  }

  /** Returns what a branch leads to; undefined if there is none. */
  readBranch(branch: string): Checksum | undefined {
    const path = this.#branchPath(branch);
    try {
      return parseChecksum(readFileSync(path, "latin1").trim());
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw asFailure(error);
    }
  }

  /** Makes a branch lead to a commit, whose objects have to be there. */
  writeBranch(branch: string, commit: Checksum): void {
    const path = this.#branchPath(branch);
    attempt(() => mkdirSync(dirname(path), { recursive: true }));
    this.#put(path, Buffer.from(`${commit}\n`));
  }

  async readCommit(checksum: Checksum): Promise<Commit> {
    return parseCommit(await this.#readObject(checksum, "commit", limits.ostreeCommitBytes));
  }

  async readTree(checksum: Checksum): Promise<DirTree> {
    return parseTree(await this.#readObject(checksum, "dirtree", limits.ostreeTreeBytes));
  }

  /** Writes a commit, at the time that the file system has. */
  writeCommit(commit: Omit<Commit, "time">): Checksum {
    const time = this.#now();
    const object = encodeCommit({ ...commit, time });
    if (object.length > limits.ostreeCommitBytes) {
      throw new Failure("unsupported", "Layer has too many entries for a commit of ostree");
    }
    return this.#writeObject(object, "commit");
  }

  writeTree(tree: DirTree): Checksum {
    return this.#writeObject(encodeTree(tree), "dirtree");
  }

  writeMeta(meta: FileMeta): Checksum {
    return this.#writeObject(encodeMeta(meta), "dirmeta");
  }

  /** Begins a file under way, which is published by `publish` or removed by whoever asked for it. */
  async newFile(): Promise<{ readonly path: string; readonly file: FileHandle }> {
    const path = this.temporaryPath();
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      return { path, file: await open(path, flags, 0o600) };
    } catch (error) {
      throw asFailure(error);
    }
  }

  /** Returns a path of its own for something under way. */
  temporaryPath(): string {
    return temporaryPath(join(this.path, "tmp"));
  }

  /** Gives something under way its name among the objects. */
  publish(path: string, checksum: Checksum, kind: ObjectKind): void {
    const target = this.objectPath(checksum, kind);
    attempt(() => {
      mkdirSync(dirname(target), { recursive: true });
      renameSync(path, target);
    });
  }

  /** Brings all that was written to the disk. To be called before a branch leads there. */
  sync(): void {
    attempt(() => {
      const directory = openSync(this.path, "r");
      try {
        syncFileSystem(directory);
      } finally {
        closeSync(directory);
      }
    });
  }

  /** Keeps others from pruning, until disposed of. Where nothing can be locked, nobody prunes either. */
  async lock({ signal }: Pick<TransportContext, "signal">): Promise<Disposable> {
    const path = join(this.path, ".lock");
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o660);
    } catch (error) {
      // Somebody else's, or on a file system that cannot be written.
      if (["EACCES", "EPERM", "EROFS"].some((code) => isSystemError(error, code))) return noLock;
      throw asFailure(error);
    }
    for (
      let delayMs = 1;
      recordLock(descriptor, "shared") === "held";
      delayMs = Math.min(2 * delayMs, 50)
    ) {
      if (signal.aborted) closeSync(descriptor);
      signal.throwIfAborted();
      await Bun.sleep(delayMs);
    }
    return { [Symbol.dispose]: () => closeSync(descriptor) };
  }

  #branchPath(branch: string): string {
    return join(this.path, "refs", "heads", branch);
  }

  async #readObject(checksum: Checksum, kind: ObjectKind, limit: number): Promise<Uint8Array> {
    const bytes = await readSmallFile(this.objectPath(checksum, kind), limit);
    if (checksumOf(bytes) === checksum) return bytes;
    throw new Failure("corrupt", `${this.objectPath(checksum, kind)} is not what its name says`);
  }

  #writeObject(object: Uint8Array, kind: ObjectKind): Checksum {
    const checksum = checksumOf(object);
    const path = this.objectPath(checksum, kind);
    if (this.has(checksum, kind, object.length)) return checksum;
    attempt(() => mkdirSync(dirname(path), { recursive: true }));
    this.#put(path, object);
    return checksum;
  }

  #put(path: string, bytes: Uint8Array): void {
    const temporary = this.temporaryPath();
    attempt(() => {
      try {
        const file = openSync(temporary, "wx", 0o644);
        try {
          for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        } finally {
          closeSync(file);
        }
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    });
  }

  #now(): bigint {
    const probe = this.temporaryPath();
    return attempt(() => {
      closeSync(openSync(probe, "wx", 0o600));
      const { mtimeMs } = statSync(probe);
      rmSync(probe);
      return BigInt(Math.floor(mtimeMs / 1000));
    });
  }
}

const noLock: Disposable = { [Symbol.dispose]: () => undefined };

/** Returns what a section of a key file says. */
function sectionOf(text: string, wanted: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let section = "";
  for (const line of text.split("\n").map((each) => each.trim())) {
    const [, header] = /^\[(.*)\]$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    const [, key, value] = /^([^=#[]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section === wanted && key !== undefined && value !== undefined) found.set(key, value);
  }
  return found;
}
