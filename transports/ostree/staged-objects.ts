// Staged objects: what is on its way into a repository, and becomes part of it in one go.
//
// Readers believe the name of an object. A machine may go down at any moment, so nothing gets its name
// before its content is on the disk.

import { lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { writeSmallFile } from "../shared/small-file.ts";
import { attempt } from "../shared/system.ts";
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
} from "./objects.ts";
import type { Repository, RepositoryMode } from "./repository.ts";

/** Objects that a repository does not have yet. Disposing gives up those that were not published. */
export class StagedObjects implements Disposable {
  readonly mode: RepositoryMode;
  readonly #repository: Repository;
  readonly #sync: () => void;
  /** Where they are, and where they belong, in the order in which they were added. */
  readonly #staged = new Map<string, string>();
  #directory: string | undefined;

  /** `sync` brings everything to the disk that was written to the repository's file system. */
  constructor(repository: Repository, sync: () => void = () => repository.sync()) {
    this.mode = repository.mode;
    this.#repository = repository;
    this.#sync = sync;
  }

  /** Where the repository is, for failures. */
  get path(): string {
    return this.#repository.path;
  }

  /**
   * Tells whether an object is staged, or there with this size, or absent that with any: where a machine has
   * gone down before all was on the disk, some have their names and nothing else.
   */
  has(checksum: Checksum, kind: ObjectKind, size?: number): boolean {
    const path = this.#repository.objectPath(checksum, kind);
    if (this.#staged.has(path)) return true;
    const found = attempt(() => lstatSync(path, { throwIfNoEntry: false }));
    return found !== undefined && (size === undefined ? found.size > 0 : found.size === size);
  }

  /** Returns a path of its own for something that is being written. */
  temporaryPath(): string {
    if (this.#directory === undefined) {
      const directory = this.#repository.temporaryPath();
      attempt(() => mkdirSync(directory, { mode: 0o700 }));
      this.#directory = directory;
    }
    return temporaryPath(this.#directory);
  }

  /** Takes over an object that was written to a path of `temporaryPath`. */
  add(path: string, checksum: Checksum, kind: ObjectKind): void {
    const target = this.#repository.objectPath(checksum, kind);
    const staged = join(dirname(path), `${checksum}.${kind}`);
    attempt(() => renameSync(path, staged));
    this.#staged.set(target, staged);
  }

  writeTree(tree: DirTree): Checksum {
    return this.#write(encodeTree(tree), "dirtree");
  }

  writeMeta(meta: FileMeta): Checksum {
    return this.#write(encodeMeta(meta), "dirmeta");
  }

  /** Writes a commit, at the time that the file system has. */
  writeCommit(commit: Omit<Commit, "time">): Checksum {
    const time = BigInt(Math.floor(this.#repository.nowMs() / 1000));
    const object = encodeCommit({ ...commit, time });
    if (object.length > limits.ostreeCommitBytes) {
      throw new Failure("unsupported", "Layer has too many entries for a commit of ostree");
    }
    return this.#write(object, "commit");
  }

  /** Makes all of them part of the repository, for good. To be called before a branch leads there. */
  publish(): void {
    if (this.#staged.size === 0) return;
    this.#sync();
    attempt(() => {
      // What others consist of was added before them.
      for (const [target, staged] of this.#staged) {
        mkdirSync(dirname(target), { recursive: true });
        renameSync(staged, target);
      }
    });
    this.#staged.clear();
    this.#sync();
  }

  [Symbol.dispose](): void {
    if (this.#directory === undefined) return;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #write(object: Uint8Array, kind: ObjectKind): Checksum {
    const checksum = checksumOf(object);
    if (this.has(checksum, kind, object.length)) return checksum;
    const path = this.temporaryPath();
    writeSmallFile(path, object, { mode: 0o644 });
    this.add(path, checksum, kind);
    return checksum;
  }
}
