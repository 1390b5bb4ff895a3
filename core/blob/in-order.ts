// In order: work on several pieces of a stream at a time, with the results in the order of the pieces.
//
// The work itself is done by the runtime's pool of threads, one for each processor. So a stream keeps all
// of them busy without workers of our own, which would cost a start and would have to be ended.

/** What is done to pieces. */
export interface OrderedWork<T, R> {
  /** Begins the work on a piece. Pieces come in the order of the stream. */
  begin(piece: T): Promise<R>;
  /** Pieces of this stream in work at a time; absent: enough to keep a few processors busy. */
  readonly atOnce?: number | undefined;
}

const usuallyAtOnce = 3;
/** Pieces of all streams together; each stream may have one beyond that. */
const together = 3;

/** How many pieces are in work, whichever stream they are of. */
let busy = 0;

/**
 * Yields what becomes of the pieces of a stream, in order.
 *
 * A few pieces are in work at a time, of all streams together. Left early, it waits for those.
 */
export async function* inOrder<T, R>(
  pieces: AsyncIterable<T>,
  { begin, atOnce = usuallyAtOnce }: OrderedWork<T, R>,
): AsyncGenerator<R> {
  const working: Promise<R>[] = [];
  const worked = async (piece: T): Promise<R> => {
    busy += 1;
    try {
      return await begin(piece);
    } finally {
      busy -= 1;
    }
  };
  try {
    for await (const piece of pieces) {
      const result = worked(piece);
      // A failure is thrown where it is waited for, which may be later.
      result.catch(() => undefined);
      working.push(result);
      while (working.length >= Math.max(atOnce, 1) || (working.length > 0 && busy > together)) {
        yield await next(working);
      }
    }
    while (working.length > 0) yield await next(working);
  } finally {
    // Left early: nothing of ours may still be running.
    await Promise.allSettled(working);
  }
}

function next<R>(working: Promise<R>[]): Promise<R> {
  return working.shift() as Promise<R>;
}
