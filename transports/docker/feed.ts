// Feed: a blob as the body of a request, measured as it flows.

import type { ByteStream } from "../../core/blob/stream.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { OutgoingBlob } from "../../core/image/destination.ts";
import type { RequestBody } from "./client.ts";

/** What a registry was sent. */
export interface SentBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** The bytes of a blob from some offset on. Each time it is opened, the blob is read from its start. */
export class Feed implements RequestBody {
  readonly size?: number;
  readonly #blob: OutgoingBlob;
  readonly #start: number;
  #sent: SentBlob | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(blob: OutgoingBlob, start: number) {
    this.#blob = blob;
    this.#start = start;
    if (blob.size !== undefined) this.size = blob.size - start;
  }

  /** The whole blob, or undefined as long as it has not been read to its end. */
  get sent(): SentBlob | undefined {
    return this.#sent;
  }

  /** What went wrong with the blob itself, if anything did. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  async *open(): AsyncGenerator<Uint8Array> {
    this.#sent = undefined;
    this.#failure = undefined;
    // A promised digest has been checked by the time the stream ends; only an open one is computed.
    const digester = this.#blob.digest === undefined ? new Digester() : undefined;
    let passed = 0;
    // The last chunk waits until the blob is known to be whole: a registry that has counted all bytes
    // may answer at once.
    let held: Uint8Array | undefined;
    try {
      for await (const chunk of this.#bytes()) {
        digester?.update(chunk);
        const known = Math.max(0, this.#start - passed);
        passed += chunk.length;
        if (known >= chunk.length) continue;
        if (held !== undefined) yield held;
        held = known === 0 ? chunk : chunk.subarray(known);
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
    this.#sent = { digest: this.#blob.digest ?? finished(digester), size: passed };
    if (held !== undefined) yield held;
  }

  #bytes(): ByteStream {
    return this.#blob.open();
  }
}

function finished(digester: Digester | undefined): Digest {
  if (digester === undefined) throw new Failure("bug", "A blob was sent under no digest");
  return digester.digest();
}
