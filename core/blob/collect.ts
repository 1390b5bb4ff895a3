// Small content into memory, with a limit.

import { Failure } from "../failure.ts";
import type { ByteStream } from "./stream.ts";

/** Returns all of a stream. Fails with `corrupt` as soon as it exceeds `limitBytes`. */
export async function collect(bytes: ByteStream, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > limitBytes) {
      throw new Failure("corrupt", `exceeded maximum allowed size of ${limitBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
