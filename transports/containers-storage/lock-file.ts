// Lock files: how engines keep out of each other's way, and tell each other that something has changed.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { asFailure, Failure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { recordLock } from "../shared/libc/record-lock.ts";
import { isSystemError } from "../shared/system.ts";

const longestDelayMs = 20;
const patienceMs = 5_000;

/** A lock that is held until it is disposed of. */
export interface HeldLock extends AsyncDisposable {
  /** Tells everybody that what the lock protects changes now. Only for who holds it alone. */
  announceChange(): Promise<void>;
}

/**
 * Locks a store's lock file, against everybody or against those who want it to themselves.
 *
 * Waits while somebody else has it, and says so when that takes long. A file that is not there is made for
 * who wants it alone; for others there is nothing to lock then.
 */
export async function lockFile(
  path: string,
  wish: "exclusive" | "shared",
  { signal, log }: Pick<TransportContext, "signal" | "log">,
  ask: typeof recordLock = recordLock,
): Promise<HeldLock> {
  const file = await openLockFile(path, wish);
  if (file === undefined) return noLock;
  try {
    let waitedMs = 0;
    for (let delayMs = 1; ; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
      signal.throwIfAborted();
      const outcome = ask(file.fd, wish);
      if (outcome === "done") break;
      if (outcome === "unavailable") throw noLocks(path);
      if (waitedMs < patienceMs && waitedMs + delayMs >= patienceMs) {
        log.info(`Waiting for another process that holds ${path}`);
      }
      waitedMs += delayMs;
      await Bun.sleep(delayMs);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    announceChange: async () => {
      const token = crypto.getRandomValues(new Uint8Array(tokenBytes));
      await file.write(token, 0, token.length, 0);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Locks a file if nobody else has it. Undefined if somebody has, or if it is not there. */
export async function tryLockFile(path: string): Promise<AsyncDisposable | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw asFailure(error);
  }
  if (recordLock(file.fd, "exclusive") === "done") return file;
  await file.close();
  return undefined;
}

/** As long as what engines write there: they compare it, and look for nothing in it. */
const tokenBytes = 64;

const noLock: HeldLock = {
  announceChange: async () => {
    throw new Failure("bug", "A store was to be changed without a lock");
  },
  [Symbol.asyncDispose]: async () => {},
};

async function openLockFile(
  path: string,
  wish: "exclusive" | "shared",
): Promise<FileHandle | undefined> {
  // Who only reads makes nothing.
  const access = wish === "shared" ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT;
  // A pipe that poses as a lock file must not be waited for.
  const flags = access | constants.O_NONBLOCK;
  try {
    return await open(path, flags, 0o644);
  } catch (error) {
    // Nobody has ever written there, or nobody can.
    if (wish === "shared" && isSystemError(error, "ENOENT")) return undefined;
    throw asFailure(error);
  }
}

function noLocks(path: string): Failure {
  return new Failure("unsupported", `Cannot lock ${path} as container engines do`, {
    hint: "stores of container engines are supported on Linux only",
  });
}
