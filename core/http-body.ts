// Small bodies: those that are better sent as one than as a stream.

import { limits } from "./limits.ts";

/** A body on its way to the runtime. */
export interface RequestStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Absent if it is not known before. */
  readonly size: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Returns a small body whole, and any other as it is. Fails as the body does, or with the reason of
 * `signal`.
 *
 * A server may answer as soon as it has counted all bytes. Where the runtime does not know yet that the
 * stream has ended too, it does not use the connection again, and for small blobs that happens often.
 */
export async function wholeIfSmall({
  bytes,
  size = Infinity,
  signal,
}: RequestStream): Promise<AsyncIterable<Uint8Array> | Uint8Array<ArrayBuffer>> {
  if (size > limits.smallBodyBytes) return bytes;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const reader = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.next(), aborted]);
      if (done === true) return new Uint8Array(Buffer.concat(chunks));
      chunks.push(value);
    }
  } catch (error) {
    // Not waited for: it may be what does not move any more.
    void Promise.allSettled([reader.return?.()]);
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
