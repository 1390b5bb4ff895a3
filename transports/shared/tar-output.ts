// Tar output: where an archive goes.

import { constants, lstatSync, realpathSync, type Stats, statSync, write } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { asFailure, Failure } from "../../core/failure.ts";
import type { TransportContext, TransportLog } from "../../core/image/transport.ts";
import { NewFile, syncDirectory } from "./new-file.ts";
import { isStandardOutput } from "./standard-output.ts";
import { attempt, failureAt, isSystemError } from "./system.ts";
import { removeLeftovers } from "./temporary.ts";

/** Takes the bytes of an archive. Disposing without `complete` gives it up. */
export interface TarOutput extends AsyncDisposable {
  /** How many bytes it was given. */
  readonly position: number;
  /** Takes the next piece; resolves when the one after it may come. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Absent where what was written has left. */
  readonly undo?: TarUndo;
  /** Makes the archive visible, whole. */
  complete(): Promise<void>;
}

/** Changes what was written. */
export interface TarUndo {
  /** Writes over what stands at an offset. */
  patch(bytes: Uint8Array, offset: number): Promise<void>;
  /** Takes back what stands beyond the first `size` bytes. */
  truncate(size: number): Promise<void>;
}

/** A file that is there before an archive takes its place. */
export interface TarTarget {
  /** With all links in it followed; what failures name. */
  readonly path: string;
  /** What is there now. */
  readonly found: Stats | undefined;
}

/** Looks at where an archive is to go. Fails with `io` if that is a directory. */
export function findTarTarget(path: string): TarTarget {
  const there = attempt(() => lstatSync(path, { throwIfNoEntry: false })) !== undefined;
  const resolved = there ? attempt(() => realpathSync(path)) : path;
  const found = there ? attempt(() => statSync(resolved)) : undefined;
  if (found?.isDirectory() === true) throw new Failure("io", `open ${path}: is a directory`);
  return { path: resolved, found };
}

/** Fails with `io` if another program changed what is at the target since it was found. */
export function checkUnchanged({ path, found }: TarTarget): void {
  const now = attempt(() => statSync(path, { throwIfNoEntry: false }));
  const same =
    now?.ino === found?.ino && now?.size === found?.size && now?.mtimeMs === found?.mtimeMs;
  if (same) return;
  throw new Failure("io", `${path} was changed by somebody else while the image was written`, {
    hint: "try again",
  });
}

/**
 * Opens the output for a path.
 *
 * A file appears under its name when it is complete, in place of what was there. Standard output, pipes and
 * devices get the bytes as they come.
 */
export async function openTarOutput(
  path: string,
  { log, signal }: Pick<TransportContext, "log" | "signal">,
): Promise<TarOutput> {
  if (isStandardOutput(path)) return new StreamOutput(1, "/dev/stdout", signal);
  const target = findTarTarget(path);
  if (target.found !== undefined && !target.found.isFile()) return openStreamOutput(path, signal);
  const file = NewFile.create(dirname(target.path), target.path);
  return new FileOutput(file, target, log);
}

class FileOutput implements TarOutput {
  readonly undo: TarUndo;
  readonly #file: NewFile;
  readonly #target: TarTarget;
  readonly #log: TransportLog;

  constructor(file: NewFile, target: TarTarget, log: TransportLog) {
    this.#file = file;
    this.#target = target;
    this.#log = log;
    this.undo = file;
  }

  get position(): number {
    return this.#file.size;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#file.write(bytes);
  }

  async complete(): Promise<void> {
    const { path, found } = this.#target;
    await this.#file.complete(found);
    this.#file.publish(path);
    await syncDirectory(dirname(path));
    try {
      removeLeftovers(dirname(path), statSync(path).mtimeMs);
    } catch (error) {
      // The archive is there; it has not failed because somebody else's rest stays.
      this.#log.debug(`Cannot remove leftovers: ${asFailure(error).message}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}

async function openStreamOutput(path: string, signal: AbortSignal): Promise<TarOutput> {
  try {
    const file = await open(path, constants.O_WRONLY);
    return new StreamOutput(file.fd, path, signal, file);
  } catch (error) {
    throw asFailure(error);
  }
}

/** Whoever shares a pipe with us may have asked not to be kept waiting. */
const waitMs = 1;

class StreamOutput implements TarOutput {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #file: FileHandle | undefined;
  #position = 0;

  constructor(descriptor: number, path: string, signal: AbortSignal, file?: FileHandle) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#signal = signal;
    this.#file = file;
  }

  get position(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    for (let at = 0; at < bytes.length;) {
      try {
        at += await this.#writeSome(bytes.subarray(at));
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!isSystemError(error, "EAGAIN")) throw failureAt(this.#path, error);
        await Bun.sleep(waitMs);
      }
    }
  }

  /** A reader who has stopped reading keeps the write that is under way, and not us. */
  #writeSome(bytes: Uint8Array): Promise<number> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const giveUp = () => reject(signal.reason);
      signal.addEventListener("abort", giveUp, { once: true });
      write(this.#descriptor, bytes, 0, bytes.length, null, (error, count) => {
        signal.removeEventListener("abort", giveUp);
        if (error === null) resolve(count);
        else reject(error);
      });
    });
  }

  async complete(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}
