// Verifying files: whether what lies in a directory is what it is named for.

import { verified } from "../../core/blob/verify.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { asFailure } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { fileStream } from "../shared/file-stream.ts";

/** Reads a file, and tells whether it has the digest and the size of a blob. One that cannot be read has not. */
export async function isBlob(
  path: string,
  blob: Descriptor,
  { signal, log }: Pick<TransportContext, "signal" | "log">,
): Promise<boolean> {
  try {
    for await (const _ of verified(blob)(fileStream(path, signal)));
    return true;
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== "corrupt" && failure.code !== "io") throw failure;
    log.debug(`Not taking ${path}: ${failure.message}`);
    return false;
  }
}
