// Layout blobs: small content of a layout, as those who keep things about images read and put it.

import type { ByteStream } from "../../core/blob/stream.ts";
import type { Digest } from "../../core/content/digest.ts";
import type { SmallBlob } from "../../core/image/source.ts";

/** Reads blobs of a layout. */
export interface BlobReader {
  /** Tells whether a blob is there. */
  hasBlob(digest: Digest): boolean;
  openBlob(digest: Digest): ByteStream;
}

/** Where small content is read, and put. What was put just now cannot be read yet. */
export interface LayoutBlobs {
  readonly reader: BlobReader;
  readonly put: (blob: SmallBlob) => Promise<void>;
}
