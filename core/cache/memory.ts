// MemoryRecords: facts about blobs, kept for one run.

import type { ChunkedAnnotations } from "../content/chunked-layer.ts";
import type { Digest } from "../content/digest.ts";
import type { Compression } from "../content/media-types.ts";
import type { BlobScope } from "./blob-info.ts";
import type { BlobRecords, DatedFact, SeenBlob } from "./records.ts";

/** Keeps facts about blobs for one run. */
export class MemoryRecords implements BlobRecords {
  readonly #seen = new Map<string, Map<string, number>>();
  readonly #uncompressed = new Map<Digest, Digest>();
  readonly #sharing = new Map<Digest, Set<Digest>>();
  readonly #compressions = new Map<Digest, Compression>();
  readonly #chunked = new Map<Digest, ChunkedAnnotations>();

  seen(scope: BlobScope, digest: Digest): readonly SeenBlob[] {
    const places = this.#seen.get(keyOf(scope, digest)) ?? new Map<string, number>();
    return Array.from(places, ([location, timeMs]) => ({ location, timeMs }));
  }

  uncompressedOf(digest: Digest): Digest | undefined {
    // What others are found to contain is not compressed itself.
    return this.#uncompressed.get(digest) ?? (this.#sharing.has(digest) ? digest : undefined);
  }

  sharing(uncompressed: Digest): readonly Digest[] {
    return [...(this.#sharing.get(uncompressed) ?? [])];
  }

  compressionOf(digest: Digest): Compression | undefined {
    return this.#compressions.get(digest);
  }

  chunkedOf(digest: Digest): ChunkedAnnotations | undefined {
    return this.#chunked.get(digest);
  }

  keep(facts: readonly DatedFact[]): void {
    for (const dated of facts) this.#keep(dated);
  }

  #keep({ fact, timeMs }: DatedFact): void {
    switch (fact.kind) {
      case "content": {
        const { digest, uncompressed } = fact;
        this.#uncompressed.set(digest, uncompressed);
        const known = this.#sharing.get(uncompressed) ?? new Set();
        this.#sharing.set(uncompressed, known.add(digest));
        break;
      }
      case "compression":
        this.#compressions.set(fact.digest, fact.compression);
        break;
      case "chunked":
        this.#chunked.set(fact.digest, fact.annotations);
        break;
      case "location": {
        const key = keyOf(fact.scope, fact.digest);
        const known = this.#seen.get(key) ?? new Map<string, number>();
        this.#seen.set(key, known.set(fact.location, timeMs));
        break;
      }
    }
  }
}

function keyOf({ transport, scope }: BlobScope, digest: Digest): string {
  return [transport, scope, digest].join("\n");
}
