// Repository: a directory of ostree, which keeps trees of files by what they are.

import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { asFailure, Failure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { recordLock } from "../shared/libc/record-lock.ts";
import { syncFileSystem } from "../shared/libc/sync-file-system.ts";
import { writeSmallFile } from "../shared/small-file.ts";
import { attempt, isSystemError } from "../shared/system.ts";
import { removeLeftovers, temporaryPath } from "../shared/temporary.ts";
import {
  type Checksum,
  checksumOf,
  type Commit,
  type DirTree,
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
    const temporary = this.temporaryPath();
    attempt(() => {
      mkdirSync(dirname(path), { recursive: true });
      try {
        writeSmallFile(temporary, Buffer.from(`${commit}\n`), { mode: 0o644, durable: true });
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    });
  }

  async readCommit(checksum: Checksum): Promise<Commit> {
    return parseCommit(await this.#readObject(checksum, "commit", limits.ostreeCommitBytes));
  }

  async readTree(checksum: Checksum): Promise<DirTree> {
    return parseTree(await this.#readObject(checksum, "dirtree", limits.ostreeTreeBytes));
  }

  /** Returns a path of its own for something under way. */
  temporaryPath(): string {
    return temporaryPath(join(this.path, "tmp"));
  }

  /** Removes what runs that crashed have left under way. */
  removeLeftovers(): void {
    const nowMs = this.nowMs();
    attempt(() => removeLeftovers(join(this.path, "tmp"), nowMs));
  }

  /** Returns the time that the file system has. */
  nowMs(): number {
    const probe = this.temporaryPath();
    return attempt(() => {
      closeSync(openSync(probe, "wx", 0o600));
      const { mtimeMs } = statSync(probe);
      rmSync(probe);
      return mtimeMs;
    });
  }

  /** Brings to the disk all that was written to the repository's file system. */
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
