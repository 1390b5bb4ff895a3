// Faulty: a transport that works until it is told to fail.

import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure } from "../../core/failure.ts";
import type { ImageDestination } from "../../core/image/destination.ts";
import type { ImageSource } from "../../core/image/source.ts";
import type { ImageReference, Transport } from "../../core/image/transport.ts";

/**
 * Wraps a transport, counts what is asked of it, and fails at the n-th time.
 *
 * A blob counts twice: when it is opened or put, and when all of its bytes have passed.
 */
export class FaultyTransport implements Transport {
  readonly name: string;
  /** What was asked so far, such as `putBlob` or `putBlob ended`. */
  readonly operations: string[] = [];
  readonly #inner: Transport;
  readonly #failAt: number;

  /** Never fails if `failAt`, counted from one, is absent. */
  constructor(inner: Transport, failAt = Infinity) {
    this.name = inner.name;
    this.#inner = inner;
    this.#failAt = failAt;
  }

  /** Whether the failure has happened. */
  get failed(): boolean {
    return this.operations.length >= this.#failAt;
  }

  parseReference(text: string): ImageReference {
    const inner = this.#inner.parseReference(text);
    return {
      ...inner,
      openSource: async (context) => {
        this.#count("openSource");
        return this.#source(await inner.openSource(context));
      },
      openDestination: async (context) => {
        this.#count("openDestination");
        return this.#destination(await inner.openDestination(context));
      },
    };
  }

  checkPolicyScope(scope: string): void {
    this.#inner.checkPolicyScope(scope);
  }

  #count(operation: string): void {
    this.operations.push(operation);
    const { length } = this.operations;
    // An operating system that refused once is likely to go on doing so.
    if (length >= this.#failAt) throw new Failure("io", `${operation} was made to fail`);
  }

  async *#ending(operation: string, bytes: ByteStream): AsyncGenerator<Uint8Array> {
    yield* bytes;
    this.#count(`${operation} ended`);
  }

  #source(inner: ImageSource): ImageSource {
    return {
      name: inner.name,
      concurrent: inner.concurrent,
      ...(inner.nearby !== undefined && { nearby: inner.nearby }),
      readManifest: async (instance) => {
        this.#count("readManifest");
        return inner.readManifest(instance);
      },
      readSignatures: async (of) => {
        this.#count("readSignatures");
        return inner.readSignatures(of);
      },
      openBlob: async (blob, reading) => {
        this.#count("openBlob");
        return this.#ending("openBlob", await inner.openBlob(blob, reading));
      },
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  #destination(inner: ImageDestination): ImageDestination {
    return {
      name: inner.name,
      traits: inner.traits,
      reuseBlob: async (wanted, role) => {
        this.#count("reuseBlob");
        return inner.reuseBlob(wanted, role);
      },
      putBlob: async (blob, role, signal) => {
        this.#count("putBlob");
        const watched = blob.through((bytes) => this.#ending("putBlob", bytes), blob);
        return inner.putBlob(watched, role, signal);
      },
      putManifest: async (manifest, instance) => {
        this.#count("putManifest");
        return inner.putManifest(manifest, instance);
      },
      putSignatures: async (signatures, of) => {
        this.#count("putSignatures");
        return inner.putSignatures(signatures, of);
      },
      commit: async () => {
        this.#count("commit");
        return inner.commit();
      },
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }
}
