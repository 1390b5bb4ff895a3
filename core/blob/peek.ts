// Looking at how a stream starts without losing anything of it.

import type { ByteStream } from "./stream.ts";

/** A stream whose start has been seen. Disposing releases what feeds it, read or not. */
export interface PeekedStream extends AsyncDisposable {
  /** The first bytes: as many as were asked for, or all there are, or some more. */
  readonly start: Uint8Array;
  /** Gives the whole stream, start included; from the second call on by opening it anew. */
  open(): ByteStream;
}

/** Opens a stream and reads its first `count` bytes. Nothing of it is lost, and nothing read twice. */
export async function peeked(open: () => ByteStream, count: number): Promise<PeekedStream> {
  const iterator = open()[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (let seen = 0; seen < count;) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    chunks.push(value);
    seen += value.length;
  }
  let taken = false;
  return {
    start: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks),
    open() {
      if (taken) return open();
      taken = true;
      return resumed(chunks, iterator);
    },
    async [Symbol.asyncDispose]() {
      // Also after a reading: it may have ended before it began.
      await iterator.return?.();
    },
  };
}

async function* resumed(
  start: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* start;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
