// Directory lock: keeps other runs of this program out of a directory for a moment.
//
// It locks the directory itself, so nothing has to be written for it and a killed run leaves nothing.

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { asFailure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { flock } from "./libc/flock.ts";
import { attempt, isSystemError } from "./system.ts";
import { temporaryPath } from "./temporary.ts";

/** How the lock file is called where directories cannot be locked. */
export const lockFileName = ".dray-lock";

/** A lock is held for milliseconds; one this old was left by a run that crashed. */
const staleMs = 60_000;

const longestDelayMs = 20;
const patienceMs = 2_000;

/**
 * Locks a directory, against everybody else or against those who want it to themselves, until disposed.
 *
 * Waits while somebody else has it, and says so when that takes long. Where directories cannot be locked,
 * a lock file stands in, and several holders of a shared lock are not told from none.
 */
export async function lockDirectory(
  path: string,
  wish: "exclusive" | "shared",
  { signal, log }: Pick<TransportContext, "signal" | "log">,
  ask: typeof flock = flock,
): Promise<AsyncDisposable> {
  let waitedMs = 0;
  for (let delayMs = 1; ; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
    signal.throwIfAborted();
    const answer = await askFor(path, wish, ask);
    if (typeof answer === "object") return answer;
    if (answer === "unavailable") {
      if (wish === "shared") return noLock;
      const lock = await tryLockFile(path);
      if (lock !== undefined) return lock;
    }
    if (waitedMs < patienceMs && waitedMs + delayMs >= patienceMs) {
      log.warn(`Waiting for another process that is changing ${path}`);
    }
    waitedMs += delayMs;
    await Bun.sleep(delayMs);
  }
}

/**
 * Locks a directory if nobody else has it, not even shared, and gives up with `held` otherwise.
 *
 * Answers `unavailable` where directories cannot be locked, so that nobody knows.
 */
export async function tryLockDirectory(
  path: string,
  ask: typeof flock = flock,
): Promise<AsyncDisposable | "held" | "unavailable"> {
  return askFor(path, "exclusive", ask);
}

const noLock: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

async function askFor(
  path: string,
  wish: "exclusive" | "shared",
  ask: typeof flock,
): Promise<AsyncDisposable | "held" | "unavailable"> {
  const directory = openDirectory(path);
  const outcome = ask(directory, wish);
  if (outcome === "done" && isStill(directory, path)) {
    return heldBy(directory);
  }
  closeSync(directory);
  // A directory that was removed and made again meanwhile is asked for once more.
  return outcome === "done" ? "held" : outcome;
}

/** The lock goes with the descriptor, whose number may be somebody else's after that. */
function heldBy(directory: number): AsyncDisposable {
  let closed = false;
  return {
    async [Symbol.asyncDispose]() {
      if (!closed) closeSync(directory);
      closed = true;
    },
  };
}

function openDirectory(path: string): number {
  return attempt(() =>
    openSync(path === "" ? "." : path, constants.O_RDONLY | constants.O_DIRECTORY),
  );
}

function isStill(directory: number, path: string): boolean {
  const opened = fstatSync(directory);
  const named = statSync(path === "" ? "." : path, { throwIfNoEntry: false });
  return named?.ino === opened.ino && named.dev === opened.dev;
}

async function tryLockFile(directory: string): Promise<AsyncDisposable | undefined> {
  const path = join(directory, lockFileName);
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw asFailure(error);
    removeStaleLock(directory, path);
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => unlinkSync(path) };
}

/** Asks the file system for the time, because it is the one that dated the lock. */
function removeStaleLock(directory: string, path: string): void {
  const probe = temporaryPath(directory);
  writeFileSync(probe, "", { flag: "wx", mode: 0o600 });
  const nowMs = statSync(probe).mtimeMs;
  unlinkSync(probe);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && nowMs - found.mtimeMs > staleMs) unlinkSync(path);
}
