// PieceLimit: how much of a blob one request may carry to a registry.

import { limits } from "../../core/limits.ts";

/**
 * How much of a blob one request may carry to a registry. Registries take any size by themselves, but
 * proxies before them often do not. What is learned from one blob holds for all that follow.
 */
export class PieceLimit {
  #bytes: number | undefined;

  /** Undefined: one request may carry a whole blob, as far as we know. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  /** Keeps all requests from now on at or below `bytes`. */
  keepTo(bytes: number): void {
    this.#bytes = Math.min(bytes, this.#bytes ?? Infinity);
  }

  /**
   * Goes below `refusedBytes`, which were too many. Tells whether there is anything smaller to try that
   * is not less than `leastBytes`.
   */
  lower(refusedBytes: number, leastBytes: number): boolean {
    // Another blob has been refused before this one was.
    if (this.#bytes !== undefined && this.#bytes < refusedBytes) return true;
    const step = steps.find((bytes) => bytes < refusedBytes);
    const bytes = Math.max(step ?? 0, leastBytes);
    if (bytes === 0 || bytes >= refusedBytes) return false;
    this.#bytes = bytes;
    return true;
  }
}

/** What is tried, largest first: common limits are 100 MB, 10 MiB and 1 MiB, and all of them are met. */
const steps: readonly number[] = Array.from(
  { length: 6 },
  (_, index) => limits.largestPieceBytes / 4 ** index,
);
