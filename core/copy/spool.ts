// Spool: bytes on disk that several may still want, and how many there may be.

import { GrowingFile } from "../blob/growing-file.ts";
import { Failure } from "../failure.ts";
import { limits } from "../limits.ts";

/** Where spools of one operation are made, so that together they keep to the limits. */
export class Spools {
  readonly #directory: string;
  readonly #limits: SpoolLimits;
  #files = 0;
  #bytes = 0;

  /** The files stand in `directory`. */
  constructor(directory: string, own: SpoolLimits = limits) {
    this.#directory = directory;
    this.#limits = own;
  }

  /** Makes an empty one; undefined if there are too many already, or the system makes none. */
  async make(): Promise<Spool | undefined> {
    if (this.#files >= this.#limits.spoolFiles) return undefined;
    this.#files += 1;
    const file = await orUndefined(GrowingFile.create(this.#directory));
    if (file !== undefined) return new Spool(file, this);
    this.#files -= 1;
    return undefined;
  }

  /** Asks for room on disk. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.spoolBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives back what one of them has taken. */
  give(bytes: number): void {
    this.#files -= 1;
    this.#bytes -= bytes;
  }
}

/** How much may be kept at a time. */
export interface SpoolLimits {
  readonly spoolFiles: number;
  readonly spoolBytes: number;
}

/** Kept bytes. Disposing removes them. */
export class Spool implements AsyncDisposable {
  readonly #file: GrowingFile;
  readonly #spools: Spools;
  #taken = 0;
  #disposing: Promise<void> | undefined;

  constructor(file: GrowingFile, spools: Spools) {
    this.#file = file;
    this.#spools = spools;
  }

  /** How many bytes are kept. */
  get size(): number {
    return this.#file.size;
  }

  /** Keeps more bytes, and tells whether it could: a full disk ends no copy. */
  async append(bytes: Uint8Array): Promise<boolean> {
    if (!this.#spools.take(bytes.length)) return false;
    this.#taken += bytes.length;
    const before = this.#file.size;
    await orUndefined(this.#file.append(bytes));
    return this.#file.size > before;
  }

  /** Returns bytes from `at` on, at most `limitBytes`. */
  read(at: number, limitBytes: number): Promise<Uint8Array> {
    return this.#file.read(at, limitBytes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#file
      [Symbol.asyncDispose]()
      .finally(() => this.#spools.give(this.#taken));
    return this.#disposing;
  }
}

/** What the system refuses is done without. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Failure && error.code === "io") return undefined;
    throw error;
  }
}
