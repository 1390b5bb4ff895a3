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
