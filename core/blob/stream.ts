// ByteStream and Stage: how content moves through the program.

/**
 * Bytes on their way through the program: read once, in order.
 *
 * A chunk belongs to whoever received it: a feeder never writes into it again, and a receiver may keep
 * it. Leaving the loop early, by `break` or by a throw, releases whatever feeds it, down to the socket.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** One step of a pipeline. Always an async generator, so that a step cleans up in its `finally`. */
export type Stage = (bytes: ByteStream) => ByteStream;

/** Returns a stream of content that is in memory already. */
export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
