// HeldBlobs: which repositories of a registry are known to have which blobs, by what this run did there.

import type { Digest } from "../../core/content/digest.ts";

/** Blobs that one registry has said to have, or has taken, since the run began. */
export class HeldBlobs {
  readonly #sizes = new Map<Digest, number>();
  readonly #working = new Map<string, Promise<unknown>>();
  readonly #places = new Map<Digest, Set<string>>();

  /**
   * Runs `work` on a blob in a repository, and nothing else on it at the same time: there are registries
   * that lose what two requests write at once.
   */
  async alone<T>(repository: string, digest: Digest, work: () => Promise<T>): Promise<T> {
    const key = `${repository} ${digest}`;
    const before = this.#working.get(key);
    const working = (async () => {
      await before;
      return await work();
    })();
    const done = Promise.allSettled([working]);
    this.#working.set(key, done);
    try {
      return await working;
    } finally {
      if (this.#working.get(key) === done) this.#working.delete(key);
    }
  }

  /** A repository has a blob of this size. */
  note(repository: string, digest: Digest, size: number): void {
    this.#sizes.set(digest, size);
    const places = this.#places.get(digest) ?? new Set();
    this.#places.set(digest, places.add(repository));
  }

  /** A repository has turned out not to have a blob after all. */
  forget(repository: string, digest: Digest): void {
    this.#places.get(digest)?.delete(repository);
  }

  /** Returns the size of a blob that a repository has; undefined if nothing is known. */
  sizeIn(repository: string, digest: Digest): number | undefined {
    return this.#places.get(digest)?.has(repository) === true ? this.#sizes.get(digest) : undefined;
  }

  /** Returns a repository that has a blob; undefined if nothing is known. */
  placeOf(digest: Digest): string | undefined {
    const [first] = this.#places.get(digest) ?? [];
    return first;
  }
}
