// Verification: the stage every byte from a source passes first.

import type { Descriptor } from "../content/descriptor.ts";
import { Digester } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type { Stage } from "./stream.ts";

/**
 * Passes bytes through, and fails at the end unless they are exactly what `expected` promised.
 *
 * Nothing is verified until the stream has ended, so nothing may be published before that.
 */
export function verified(expected: Descriptor): Stage {
  return async function* (bytes) {
    const digester = new Digester(expected.digest);
    const promised = expected.size ?? Infinity;
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      // Checked as it comes: an endless stream must not be hashed to its end.
      if (size > promised) throw corrupt(expected, `is longer than its ${promised} bytes`);
      digester.update(chunk);
      yield chunk;
    }
    if (size < (expected.size ?? 0)) {
      throw corrupt(expected, `ended after ${size} of ${promised} bytes`);
    }
    const actual = digester.digest();
    if (actual !== expected.digest) {
      throw new Failure(
        "corrupt",
        `Digest did not match, expected ${expected.digest}, got ${actual}`,
      );
    }
  };
}

function corrupt({ digest }: Descriptor, what: string): Failure {
  return new Failure("corrupt", `Blob ${digest} ${what}`);
}
