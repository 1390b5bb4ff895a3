// Decompression: which compression bytes have, and the stage that undoes it.

import type { Compression } from "../content/media-types.ts";
import { Failure, asFailure } from "../failure.ts";
import type { ByteStream, Stage } from "./stream.ts";

/** How content turns out to be compressed: a kind we read and write, or one that we only recognise. */
export type DetectedCompression = Compression | "bzip2" | "xz";

const magics: readonly (readonly [DetectedCompression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** How many bytes from the start of a blob tell its compression. */
export const magicBytes = 6;

/** Tells the compression of content by how it starts, whatever its media type says. */
export function detectCompression(start: Uint8Array): DetectedCompression {
  const found = magics.find(([, magic]) => magic.every((byte, at) => start[at] === byte));
  return found === undefined ? "none" : found[0];
}

/**
 * Returns the stage that undoes a compression.
 *
 * It is exact: content that is cut off, or followed by anything but further members or frames, fails
 * with `corrupt`. Fails with `unsupported` for a compression that is only recognised. Failures call the
 * content `what`.
 */
export function decompressed(compression: DetectedCompression, what = "Layer"): Stage {
  switch (compression) {
    case "none":
      return (bytes) => bytes;
    case "gzip":
    case "zstd":
      return (bytes) => inflated(bytes, compression, what);
    case "bzip2":
    case "xz":
      throw new Failure(
        "unsupported",
        `Cannot decompress a layer that is compressed with ${compression}`,
      );
  }
}

// DecompressionStream, not node:zlib: the latter takes truncated zstd and gzip with a tail for whole.
async function* inflated(
  bytes: ByteStream,
  format: "gzip" | "zstd",
  what: string,
): AsyncGenerator<Uint8Array> {
  const machine = new DecompressionStream(format);
  const reader = machine.readable.getReader();
  const feeding = feed(bytes, machine);
  // A failure of the feed reaches the reader too, and is thrown from there.
  feeding.catch(() => undefined);
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    await feeding;
    ended = true;
  } catch (error) {
    ended = true;
    throw readable(error, `${what} is not valid ${format}`);
  } finally {
    // Left early: the feed ends with its next write, and lets go of what feeds it.
    if (!ended) await reader.cancel();
  }
}

async function feed(bytes: ByteStream, machine: DecompressionStream): Promise<void> {
  // The types know of shared memory, which no stream of ours is in.
  const writer = (machine.writable as WritableStream<Uint8Array>).getWriter();
  try {
    for await (const chunk of bytes) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

/** What failed on the way in is told as it is; what the decoder says is told in our words. */
function readable(error: unknown, fault: string): Failure {
  if (error instanceof TypeError) {
    return new Failure("corrupt", `${fault}: ${error.message.toLowerCase()}`, { cause: error });
  }
  return asFailure(error);
}
