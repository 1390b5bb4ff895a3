// Staging directories: where what is not part of a store yet grows, with a lock beside each.
//
// Engines of today know them by their names: whoever can take the lock may remove both, because then
// nobody is at work there any more.

import { constants, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { asFailure } from "../../core/failure.ts";
import { recordLock } from "../shared/libc/record-lock.ts";
import { attempt } from "../shared/system.ts";
import { tryLockFile } from "./lock-file.ts";
import { removeAll } from "./remove-all.ts";
import type { TransportContext } from "../../core/image/transport.ts";

const directoryPrefix = "temp-dir-";
const lockPrefix = "lock-";

const loneMs = 60_000;

/** A directory of our own. Disposing removes it with all that is still in it. */
export class StagingDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #lock: FileHandle;
  #count = 0;

  private constructor(path: string, lock: FileHandle) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes a directory in `parent`, which is made too if need be. */
  static async create(
    parent: string,
    ask: typeof recordLock = recordLock,
  ): Promise<StagingDirectory> {
    attempt(() => mkdirSync(parent, { recursive: true, mode: 0o700 }));
    for (;;) {
      const name = crypto.randomUUID().replaceAll("-", "");
      const lockPath = lockPathOf(parent, name);
      const lock = await openLock(lockPath);
      // Somebody who sweeps may be faster, and take the lock, or the file.
      if (ask(lock.fd, "exclusive") === "done" && (await isStill(lock, lockPath))) {
        const path = join(parent, directoryPrefix + name);
        try {
          attempt(() => mkdirSync(path, { mode: 0o700 }));
        } catch (error) {
          rmSync(lockPath, { force: true });
          await lock.close();
          throw error;
        }
        return new StagingDirectory(path, lock);
      }
      await lock.close();
    }
  }

  /** When it was made, by the clock of its file system. */
  get madeMs(): number {
    return attempt(() => lstatSync(this.path).mtimeMs);
  }

  /** Returns a path in it that nothing stands at. */
  next(): string {
    this.#count += 1;
    return join(this.path, String(this.#count));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      removePair(this.path);
    } finally {
      await this.#lock.close();
    }
  }
}

async function openLock(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644);
  } catch (error) {
    throw asFailure(error);
  }
}

async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const opened = await file.stat();
  const named = lstatSync(path, { throwIfNoEntry: false });
  return named?.ino === opened.ino && named.dev === opened.dev;
}

/**
 * Removes what runs that crashed have left in `parent`, ours and those of others. `nowMs` is the time by the
 * clock of the file system; where it is not known, more is left.
 */
export async function sweepStaging(
  parent: string,
  { log }: Pick<TransportContext, "log">,
  nowMs?: number,
): Promise<void> {
  for (const name of namesIn(parent)) {
    if (name.startsWith(lockPrefix)) await removeLoneLock(parent, name, nowMs);
    if (!name.startsWith(directoryPrefix)) continue;
    const path = join(parent, name);
    await using lock = await tryLockFile(lockPathOf(parent, name.slice(directoryPrefix.length)));
    if (lock === undefined) continue;
    log.debug(`Removing ${path}, which a run that ended before its time has left`);
    removePair(path);
  }
}

/** A run may be killed before it has made the directory. One that goes on does so within moments. */
async function removeLoneLock(
  parent: string,
  name: string,
  nowMs: number | undefined,
): Promise<void> {
  const path = join(parent, name);
  const directory = join(parent, directoryPrefix + name.slice(lockPrefix.length));
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) return;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || nowMs === undefined || nowMs - found.mtimeMs < loneMs) return;
  await using lock = await tryLockFile(path);
  if (lock !== undefined) attempt(() => rmSync(path, { force: true }));
}

/** The directory goes first: without a lock beside it, nobody would know that it may go. */
function removePair(path: string): void {
  removeAll(path);
  const name = basename(path).slice(directoryPrefix.length);
  attempt(() => rmSync(lockPathOf(dirname(path), name), { force: true }));
}

function lockPathOf(parent: string, name: string): string {
  return join(parent, lockPrefix + name);
}

function namesIn(directory: string): readonly string[] {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  return attempt(() => readdirSync(directory));
}
