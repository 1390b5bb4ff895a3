// NewFile: a file that appears under its name when it is complete, and not before.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
  writev,
  writevSync,
} from "node:fs";
import { dirname } from "node:path";
import { asFailure, Failure } from "../../core/failure.ts";
import { flock } from "./libc/flock.ts";
import { attempt, failureAt, isSystemError } from "./system.ts";
import { temporaryPath } from "./temporary.ts";

/** Never over something that is there, and never through a link. */
const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** So much is gathered before it is written. */
const batchBytes = 256 * 1024;

/** So much may wait for the disk before it is told to begin. */
const flushedBytes = 32 * 1024 * 1024;

/** What failures name: nobody knows the file by its hidden name. */
interface Intent {
  readonly target: string;
  readonly promisedBytes: number | undefined;
}

/**
 * A file under way: hidden until `publish` gives it its name, and gone if it is disposed of before.
 *
 * Written by the system call: the runtime's own file writer loses errors such as a full disk. What is over
 * in an instant is done at once, and only what may take longer on another thread: there are few of those,
 * and some may be waiting for the disk.
 */
export class NewFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: number;
  readonly #intent: Intent;
  #size = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writtenBytes = 0;
  #writing: Promise<readonly PromiseSettledResult<void>[]> | undefined;
  #flushedSize = 0;
  #flushing: Promise<readonly PromiseSettledResult<void>[]> | undefined;
  #published = false;
  #kept = false;
  #takesMemory = false;

  private constructor(path: string, file: number, intent: Intent) {
    this.#path = path;
    this.#file = file;
    this.#intent = intent;
  }

  /**
   * Begins a file in `directory`, on the file system where it will be published.
   *
   * Failures name `target`, which is where it is to appear, and `promisedBytes`, where those are known.
   * `path` is its hidden name; absent: one that nobody can guess.
   */
  static create(
    directory: string,
    target = directory,
    promisedBytes?: number,
    path = temporaryPath(directory),
  ): NewFile {
    const file = attempt(() => openSync(path, creating, 0o600));
    return new NewFile(path, file, { target, promisedBytes });
  }

  /**
   * Lets the file stay under its hidden name if it is not published. Until it is closed, it is locked.
   *
   * Tells whether that could be: somebody may have taken it for abandoned before it was locked.
   */
  keep(): boolean {
    const locked = flock(this.#file, "exclusive") !== "held";
    this.#kept = locked && fstatSync(this.#file).nlink > 0;
    return this.#kept;
  }

  /** From now on, the memory of all pieces is given back as soon as they are written. */
  takeMemory(): void {
    this.#takesMemory = true;
  }

  /** It is not worth keeping after all. */
  drop(): void {
    this.#kept = false;
  }

  /** How much it holds, or is going to, in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes the next piece, and returns what to wait for before the piece after it.
   *
   * Small pieces are gathered. A batch is written while the next one comes, so that one processor can
   * receive and hash while the other copies; there is never more than one on its way. Failures come with
   * a later piece, or with `complete`.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#size += bytes.length;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    return this.#gatheredBytes < batchBytes ? undefined : this.#writeGathered();
  }

  /** Writes over what was written earlier at an offset, all of it. */
  async patch(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#writeGathered();
    await this.#written();
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(this.#file, bytes, at, bytes.length - at, offset + at);
      }
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Takes back everything beyond its first `size` bytes, even if writing that has failed. */
  async truncate(size: number): Promise<void> {
    const handedOver = this.#size - this.#gatheredBytes;
    const outcomes = (await this.#writing) ?? [];
    await this.#flushing;
    try {
      for (const outcome of outcomes) {
        const lost = this.#writtenBytes < Math.min(size, handedOver);
        if (outcome.status === "rejected" && lost) throw outcome.reason;
      }
      if (this.#writtenBytes > size) ftruncateSync(this.#file, size);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#writing = undefined;
    this.#gatheredBytes = Math.max(0, size - handedOver);
    this.#gathered = [Buffer.concat(this.#gathered).subarray(0, this.#gatheredBytes)];
    this.#size = size;
    this.#writtenBytes = Math.min(this.#writtenBytes, size);
    this.#flushedSize = Math.min(this.#flushedSize, size);
  }

  /** Brings all of the content to the disk. The file gets the mode and owner of `like`. */
  async complete(like?: Stats): Promise<void> {
    await this.#written();
    try {
      this.#writeRest();
      await this.#flushed();
      if (like !== undefined) this.#takeOwner(like);
      fchmodSync(this.#file, (like?.mode ?? 0o644) & 0o7777);
      await settled((done) => fsync(this.#file, done));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /**
   * Gives the complete file its name, in place of what had it before.
   *
   * That the name survives a crash of the machine is the affair of `syncDirectory`.
   */
  publish(path: string): void {
    attempt(() => renameSync(this.#path, path));
    this.#published = true;
  }

  /** Closes the file and, unless it was published, removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // What was gathered is kept, too; if it cannot be written, there is that much less.
    if (this.#kept && !this.#published) await Promise.allSettled([this.#writeGathered()]);
    await this.#writing;
    await this.#flushing;
    try {
      closeSync(this.#file);
    } catch (error) {
      // What could go wrong has been said by `complete`; a second error would only hide the first.
      if (asFailure(error).code !== "io") throw error;
    }
    if (!this.#published && !this.#kept) rmSync(this.#path, { force: true });
  }

  /** Hands the gathered pieces to the system, as soon as it has taken the ones before. */
  async #writeGathered(): Promise<void> {
    await this.#written();
    if (this.#gathered.length === 0) return;
    const batch = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    // Settled, so that a failure waits for us, rather than ends the program as nobody's.
    this.#writing = Promise.allSettled([this.#writeAll(batch)]);
    this.#flushBehind();
  }

  /** Writes all of some pieces, in order, where the file stands. */
  async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
    for (let rest = pieces; rest.length > 0;) {
      const bytesWritten = await this.#writeSome(rest);
      this.#writtenBytes += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
    if (this.#takesMemory) for (const piece of pieces) giveBack(piece);
  }

  #writeSome(pieces: readonly Uint8Array[]): Promise<number> {
    return new Promise((resolve, reject) =>
      writev(this.#file, pieces, this.#writtenBytes, (error, count) =>
        error === null ? resolve(count) : reject(error),
      ),
    );
  }

  /** Writes what is gathered at the end: nothing else of this file could go on meanwhile. */
  #writeRest(): void {
    for (let rest: readonly Uint8Array[] = this.#gathered; rest.length > 0;) {
      const bytesWritten = writevSync(this.#file, rest, this.#writtenBytes);
      this.#writtenBytes += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  async #written(): Promise<void> {
    for (const outcome of (await this.#writing) ?? []) {
      if (outcome.status === "rejected") throw this.#failure(outcome.reason);
    }
  }

  /** Lets the disk begin while content is still coming, so that there is less to wait for at the end. */
  #flushBehind(): void {
    if (this.#flushing !== undefined || this.#size - this.#flushedSize < flushedBytes) return;
    this.#flushedSize = this.#size;
    const flushing = Promise.allSettled([settled((done) => fdatasync(this.#file, done))]);
    this.#flushing = flushing;
    void flushing.then(([outcome]) => {
      // A failure stays where `publish` finds it: the system reports it once only.
      if (outcome.status === "fulfilled") this.#flushing = undefined;
    });
  }

  async #flushed(): Promise<void> {
    for (const outcome of (await this.#flushing) ?? []) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  /** Whoever replaces another user's file leaves it to that user, if it can. */
  #takeOwner({ uid, gid }: Stats): void {
    const own = fstatSync(this.#file);
    if (own.uid === uid && own.gid === gid) return;
    try {
      fchownSync(this.#file, uid, gid);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "io") throw failure;
    }
  }

  #failure(error: unknown): Failure {
    const { target, promisedBytes } = this.#intent;
    const { code, message, hint } = failureAt(target, error);
    const of = promisedBytes === undefined ? "" : ` of ${promisedBytes}`;
    return new Failure(code, `${message} (after ${this.#writtenBytes}${of} bytes)`, {
      hint,
      cause: error,
    });
  }
}

/** Returns what is left of some pieces after their first `count` bytes. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}

/** The runtime would notice that nobody needs it long after the next pieces have taken more. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Waits for a call on another thread. */
function settled(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    call((error) => (error === null ? resolve() : reject(error))),
  );
}

/** Makes names in a directory survive a crash of the machine: those that were given or taken by now. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = attempt(() => openSync(path === "" ? "." : path, constants.O_RDONLY));
  try {
    await settled((done) => fsync(directory, done));
  } catch (error) {
    if (isSystemError(error, "EINVAL")) return; // This file system has no such thing.
    throw asFailure(error);
  } finally {
    closeSync(directory);
  }
}

/** Writes a small file as one piece, in place of what is there; `like` keeps its mode and owner. */
export async function replaceFile(path: string, bytes: Uint8Array, like?: Stats): Promise<void> {
  await using file = NewFile.create(dirname(path), path);
  await file.write(bytes);
  await file.complete(like);
  file.publish(path);
}
