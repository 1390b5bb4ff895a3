// Opening the cache of what is known of blobs: for one run, and from run to run where that works.

import { asFailure } from "../failure.ts";
import type { BlobCandidate, BlobFact, BlobInfo, CandidateWish } from "./blob-info.ts";
import { candidatesIn } from "./candidates.ts";
import { MemoryRecords } from "./memory.ts";
import type { BlobRecords, DatedFact } from "./records.ts";
import type { SqliteRecords } from "./sqlite.ts";

/** Where facts are kept, and who dates them. */
export interface BlobInfoOptions {
  /** Of the database; undefined if facts are kept for this run only. */
  readonly path: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears why facts are kept for this run only. */
  readonly debug: (message: string) => void;
}

/**
 * Returns what is known of blobs. Nothing is opened before something is looked for, and nothing is
 * written before it is disposed of.
 */
export function openBlobInfo(options: BlobInfoOptions): BlobInfo & AsyncDisposable {
  return new KeptBlobInfo(options);
}

class KeptBlobInfo implements BlobInfo, AsyncDisposable {
  readonly #options: BlobInfoOptions;
  readonly #own = new MemoryRecords();
  readonly #news: DatedFact[] = [];
  #kept: Promise<SqliteRecords | undefined> | undefined;
  #broken = false;

  constructor(options: BlobInfoOptions) {
    this.#options = options;
    this.#broken = options.path === undefined;
  }

  note(fact: BlobFact): void {
    const dated = { fact, timeMs: this.#options.now() };
    this.#own.keep([dated]);
    this.#news.push(dated);
  }

  async candidates(wish: CandidateWish): Promise<readonly BlobCandidate[]> {
    this.#kept ??= this.#open(false);
    const opened = await this.#kept;
    const kept = this.#broken ? undefined : opened;
    const records: readonly BlobRecords[] = kept === undefined ? [this.#own] : [this.#own, kept];
    return this.#trying(() => candidatesIn(records, wish)) ?? candidatesIn([this.#own], wish);
  }

  /** Writes down what was learned, all at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    const news = this.#news.splice(0);
    const known = await this.#kept;
    const kept = known ?? (news.length > 0 ? await this.#open(true) : undefined);
    if (kept === undefined) return;
    using _ = kept;
    this.#kept = undefined;
    if (!this.#broken) this.#trying(() => kept.keep(news));
  }

  async #open(create: boolean): Promise<SqliteRecords | undefined> {
    const { path } = this.#options;
    if (path === undefined || this.#broken) return undefined;
    // Loaded here: most runs need no database.
    const { SqliteRecords } = await import("./sqlite.ts");
    return this.#trying(() => SqliteRecords.open(path, { create }));
  }

  /** What cannot be kept is forgotten: nothing depends on it. */
  #trying<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const { path, debug } = this.#options;
      this.#broken = true;
      debug(`What is known of blobs is not kept in ${path}: ${asFailure(error).message}`);
      return undefined;
    }
  }
}
