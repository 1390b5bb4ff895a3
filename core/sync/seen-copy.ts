// SeenCopy: what one copy was seen to do.

import type { Digest } from "../content/digest.ts";
import type { ToldEvent } from "../copy/events.ts";
import type { ImageReference } from "../image/transport.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { LockedLayer } from "./lock-file.ts";

/** What was found at a source. */
export interface SyncedSource {
  /** Of the image or the list. */
  readonly digest: Digest;
  /** Those that were wanted; absent where nothing had to be looked at. */
  readonly layers?: readonly LockedLayer[];
  /** Of the one image that was wanted of a list; absent where that was none, or nobody looked. */
  readonly chosen?: Digest;
}

/** What came of a copy, as far as it could be seen from outside. */
export interface SeenResult {
  readonly outcome: "copied" | "present";
  readonly source?: SyncedSource;
  /** Read from the source, blobs only. */
  readonly bytes: number;
}

/** Watches one copy. */
export class SeenCopy {
  readonly #layers = new Map<Digest, number>();
  #digest: Digest | undefined;
  #bytes = 0;
  #present = false;
  #image: Digest | undefined;

  /** Returns the reference such that what it leads to is seen. */
  watched(reference: ImageReference): ImageReference {
    return {
      ...reference,
      openSource: async (context) => {
        const source = await reference.openSource(context);
        try {
          const { bytes } = await source.readManifest();
          this.#digest = reference.digest ?? manifestDigest(bytes);
          return source;
        } catch (error) {
          await source[Symbol.asyncDispose]();
          throw error;
        }
      },
    };
  }

  /** Takes an event into account. */
  note(event: ToldEvent): void {
    if (event.kind === "blob-moved") this.#bytes += event.bytes;
    if (event.kind === "image-present" && event.instance === undefined) this.#present = true;
    if (event.kind === "image-planned" && event.instance === undefined) this.#image = event.digest;
    if (event.kind !== "blob-begun" || event.role !== "layer") return;
    if (event.size !== undefined) this.#layers.set(event.digest, event.size);
  }

  /** What has been seen so far. */
  get result(): SeenResult {
    const [digest, image] = [this.#digest, this.#image];
    const layers = Array.from(this.#layers, ([layer, size]) => ({ digest: layer, size }));
    return {
      outcome: this.#present ? "present" : "copied",
      ...(digest !== undefined && {
        source: {
          digest,
          ...(layers.length > 0 && { layers }),
          ...(image !== undefined && image !== digest && { chosen: image }),
        },
      }),
      bytes: this.#bytes,
    };
  }
}
