// Several things at a time, but not too many.

/**
 * Runs `work` on every item, at most `limit` at a time, and returns the results in the items' order.
 *
 * After the first failure no further item is begun and `signal` of those that run is aborted; when all
 * have ended, the failure that came first is thrown.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const stop = new AbortController();
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (failure === undefined && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, stop.signal, index);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }
  };
  const workers = Math.min(Math.max(1, limit), items.length);
  await Promise.all(Array.from({ length: workers }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}

/**
 * Likewise, to the same end as one after the other: a failure ends what stands behind its item, and not
 * what stands before. Of several failures that of the first item is thrown.
 */
export async function mapInTurn<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures = new Map<number, unknown>();
  const running = new Map<number, AbortController>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (failures.size === 0 && next < items.length) {
      const index = next++;
      const stop = new AbortController();
      running.set(index, stop);
      try {
        results[index] = await work(items[index] as T, stop.signal, index);
      } catch (error) {
        failures.set(index, error);
        for (const [other, behind] of running) if (other > index) behind.abort(error);
      } finally {
        running.delete(index);
      }
    }
  };
  const workers = Math.min(Math.max(1, limit), items.length);
  await Promise.all(Array.from({ length: workers }, worker));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  return results;
}

/** So many may run at a time; the others wait, in the order in which they came. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** With at least one slot. */
  constructor(count: number) {
    this.#free = Math.max(1, count);
  }

  /** Runs `work` as soon as there is a slot. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
