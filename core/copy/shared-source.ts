// SharedSource: one source for several destinations. Each blob is fetched once, and feeds all of them.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import type { BlobReading, ImageSource } from "../image/source.ts";
import { SharedBlob } from "./shared-blob.ts";
import { Spools } from "./spool.ts";

/** The source as one destination sees it. */
export interface SourceView {
  readonly source: ImageSource;
  /** Says that the destination has this blob, or needs it no more. If it asks again, it reads anew. */
  settle(blob: Digest): void;
  /** Says that the destination needs nothing any more. */
  leave(): void;
}

/**
 * Reads one source for several destinations. A blob is kept, in a temporary file, for as long as one of
 * them may still want it.
 *
 * As a source of its own it is for what nobody writes. Disposing lets go of all blobs, not of the source.
 */
export class SharedSource implements AsyncDisposable {
  readonly source: ImageSource;
  readonly #inner: ImageSource;
  readonly #spools: Spools;
  readonly #blobs = new Set<BlobInUse>();
  readonly #readers = new Set<Reader>();
  readonly #closing = new Set<Promise<void>>();

  constructor(source: ImageSource, spools: Spools) {
    this.#inner = source;
    this.#spools = spools;
    this.source = this.#seenBy({ settled: new Set() });
  }

  /** Returns the source as one more destination sees it. All are to be there before one reads. */
  view(): SourceView {
    const reader: Reader = { settled: new Set() };
    this.#readers.add(reader);
    return {
      source: this.#seenBy(reader),
      settle: (blob) => {
        reader.settled.add(blob);
        this.#tidy();
      },
      leave: () => {
        this.#readers.delete(reader);
        this.#tidy();
      },
    };
  }

  #seenBy(reader: Reader): ImageSource {
    const inner = this.#inner;
    const readLayers = inner.readLayers?.bind(inner);
    const readReferrers = inner.readReferrers?.bind(inner);
    const offersBundles = inner.offersBundles?.bind(inner);
    return {
      name: inner.name,
      concurrent: inner.concurrent,
      ...(inner.nearby !== undefined && { nearby: inner.nearby }),
      readManifest: (instance) => inner.readManifest(instance),
      readSignatures: (of) => inner.readSignatures(of),
      ...(readLayers !== undefined && { readLayers }),
      ...(readReferrers !== undefined && { readReferrers }),
      ...(offersBundles !== undefined && { offersBundles }),
      openBlob: async (blob, reading = {}) =>
        inner.nearby === true ? inner.openBlob(blob, reading) : this.#read(blob, reading, reader),
      // Whoever opened the source disposes of it.
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async *#read(blob: Descriptor, reading: BlobReading, reader: Reader): AsyncGenerator<Uint8Array> {
    const found = this.#blobFor(blob, reading, reader);
    if (found === undefined) return yield* await this.#inner.openBlob(blob, reading);
    found.readers.push(reader);
    try {
      yield* found.shared.read(reading.signal);
    } finally {
      found.readers.splice(found.readers.indexOf(reader), 1);
      this.#tidy();
    }
  }

  /** Returns a blob to read together with others; undefined if nobody else may want it. */
  #blobFor(
    blob: Descriptor,
    { fresh = false }: BlobReading,
    reader: Reader,
  ): BlobInUse | undefined {
    const { digest } = blob;
    for (const each of this.#blobs) {
      const { shared } = each;
      if (each.digest === digest && shared.complete && (shared.fresh || !fresh)) return each;
    }
    if (!this.#isWanted(digest, [reader])) return undefined;
    const readers: Reader[] = [];
    const shared = new SharedBlob({
      open: (signal) => this.#inner.openBlob(blob, { fresh, ...(signal && { signal }) }),
      wanted: () => readers.length > 1 || this.#isWanted(digest, readers),
      keep: () => this.#spools.make(),
      fresh,
    });
    const added = { digest, shared, readers };
    this.#blobs.add(added);
    return added;
  }

  /** Tells whether a destination may want a blob, besides those that are named. */
  #isWanted(digest: Digest, besides: readonly Reader[]): boolean {
    return [...this.#readers].some((each) => !each.settled.has(digest) && !besides.includes(each));
  }

  /** Lets go of what nobody can want any more. */
  #tidy(): void {
    for (const each of this.#blobs) {
      const { digest, shared, readers } = each;
      if (readers.length > 0 || (shared.complete && this.#isWanted(digest, []))) continue;
      this.#close(each);
    }
  }

  #close(blob: BlobInUse): void {
    this.#blobs.delete(blob);
    // What goes wrong with a file that has no name any more is of no interest.
    const closing = blob.shared[Symbol.asyncDispose]().catch(() => undefined);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#readers.clear();
    for (const each of this.#blobs) this.#close(each);
    await Promise.all(this.#closing);
  }
}

/** One destination, or whoever else reads. */
interface Reader {
  /** The blobs that it does not want any more. */
  readonly settled: Set<Digest>;
}

/** A blob that is read, or may be. */
interface BlobInUse {
  readonly digest: Digest;
  readonly shared: SharedBlob;
  /** Who reads it now, each as often as it does. */
  readonly readers: Reader[];
}
