// Alongside: a second reader for bytes on their way.

import { Failure } from "../failure.ts";
import type { ByteStream, Stage } from "./stream.ts";

/**
 * Returns a stage that passes bytes through, and lets `read` see all of them, too.
 *
 * Both go at the pace of the slower one, at most a chunk apart. The stream ends when `read` has, and fails
 * if it fails. Where the stream fails or is left early, what `read` reads ends with a failure.
 */
export function alongside(read: (bytes: ByteStream) => Promise<void>): Stage {
  return async function* (bytes) {
    const handover = new Handover();
    const reading = read(handover.stream());
    // A failure is thrown where it is waited for, which may be later.
    reading.catch(() => undefined);
    try {
      for await (const chunk of bytes) {
        await Promise.race([handover.offer(chunk), reading]);
        yield chunk;
      }
      handover.end("complete");
      await reading;
    } finally {
      handover.end("abandoned");
      await Promise.allSettled([reading]);
    }
  };
}

type Offer = Uint8Array | "complete" | "abandoned";

/** Passes chunks from one that has them to one that reads them, one at a time. */
class Handover {
  #offered = Promise.withResolvers<Offer>();
  #taken = Promise.withResolvers<void>();

  /** Offers a chunk, and returns when it was taken. */
  offer(chunk: Uint8Array): Promise<void> {
    const taken = this.#taken.promise;
    this.#offered.resolve(chunk);
    return taken;
  }

  /** Says that nothing more will come. What was said first counts. */
  end(how: "complete" | "abandoned"): void {
    this.#offered.resolve(how);
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const offer = await this.#offered.promise;
      if (offer === "complete") return;
      if (offer === "abandoned") throw new Failure("canceled", "the bytes stopped coming");
      this.#offered = Promise.withResolvers();
      const taken = this.#taken;
      this.#taken = Promise.withResolvers();
      taken.resolve();
      yield offer;
    }
  }
}
