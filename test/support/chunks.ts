// Chunks: content cut into pieces, as it comes over a wire.

/** Returns a stream of `bytes` in pieces of `size` bytes, the last of them maybe shorter. */
export async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
