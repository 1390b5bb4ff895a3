// Blob sharing: several copies to one place, which move a common blob once and do not crowd each other.

import type { Digest } from "../content/digest.ts";
import { Slots } from "../concurrency.ts";

/** Lets copies to the same place share the blobs they move, and how many at a time. */
export class BlobSharing {
  readonly #slots: Slots;
  /** What came of the first attempt to move a blob; whether it is there. */
  readonly #firsts = new Map<Digest, Promise<boolean>>();

  /** At most `limit` blobs are moved at a time, by all copies together. */
  constructor(limit: number) {
    this.#slots = new Slots(limit);
  }

  /**
   * Moves a blob by `work`. Whoever comes while another copy moves the same blob waits until it is there;
   * then the place can be asked for it.
   */
  async move<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const first = this.#firsts.get(digest);
      if (first === undefined) break;
      if (await first) return this.#slots.run(work);
      // It failed; the next in line may do better.
      if (this.#firsts.get(digest) === first) this.#firsts.delete(digest);
    }
    // Nobody waits for a blob while holding a slot, so whoever is waited for gets one.
    const moving = this.#slots.run(work);
    this.#firsts.set(
      digest,
      moving.then(
        () => true,
        () => false,
      ),
    );
    return moving;
  }
}
