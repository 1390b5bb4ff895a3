// Hidden errors: what an engine writes into an archive when it cannot go on with it.
//
// It has begun its answer with the status of a success, so all it can do is to append what went wrong
// as a line of JSON. An archive ends in zeros.

import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure } from "../../core/failure.ts";
import { parseForeignJson } from "../../core/json.ts";
import { errorIn, reported } from "./report.ts";

const tailBytes = 8 * 1024;

/** Passes an archive on, and fails with `refused` at its end if an error stands there. */
export async function* withoutHiddenError(archive: ByteStream): ByteStream {
  let tail: Uint8Array = new Uint8Array();
  for await (const chunk of archive) {
    tail = chunk.length >= tailBytes ? chunk.slice(-tailBytes) : lengthened(tail, chunk);
    yield chunk;
  }
  const error = hiddenIn(tail);
  if (error !== undefined) throw reported(error);
}

function lengthened(tail: Uint8Array, chunk: Uint8Array): Uint8Array {
  return Buffer.concat([tail, chunk]).subarray(-tailBytes);
}

function hiddenIn(tail: Uint8Array): string | undefined {
  if (tail.at(-1) === 0) return undefined;
  const text = new TextDecoder().decode(tail).trimEnd();
  const start = text.lastIndexOf('{"errorDetail":');
  if (start < 0) return undefined;
  try {
    return errorIn(parseForeignJson(text.slice(start)));
  } catch (error) {
    if (error instanceof Failure && error.code === "corrupt") return undefined;
    throw error;
  }
}
