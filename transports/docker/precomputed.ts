// Precomputed: a blob whose digest is known before it is sent, because it was kept in a file first.

import type { ByteStream } from "../../core/blob/stream.ts";
import { Digester } from "../../core/content/digest.ts";
import type { OutgoingBlob } from "../../core/image/destination.ts";
import { Spool } from "../shared/spool.ts";

/** A blob of known digest and size. Disposing removes the file that it is read from. */
export interface PrecomputedBlob extends AsyncDisposable {
  readonly blob: OutgoingBlob;
}

/** Reads a blob to its end, into a hidden file in `directory`, and returns it as one of known digest. */
export async function precomputed(
  blob: OutgoingBlob,
  directory: string,
  signal: AbortSignal,
): Promise<PrecomputedBlob> {
  const digester = new Digester();
  let size = 0;
  const measured = async function* (bytes: ByteStream): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      digester.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const spool = await Spool.keep(measured(blob.open()), directory);
  const digest = digester.digest();
  const kept = blob.through(() => spool.open(signal), { mediaType: blob.mediaType, digest, size });
  return {
    blob: kept,
    [Symbol.asyncDispose]: () => spool[Symbol.asyncDispose](),
  };
}
