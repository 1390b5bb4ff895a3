// CompressionWish: how the layers of a copy shall be compressed, where that may change.

import type { CompressionFormat } from "../content/media-types.ts";

/** How layers shall be compressed by a destination that wants them compressed. */
export interface CompressionWish {
  /** Absent: with gzip, and what is compressed otherwise stays so. */
  readonly format?: CompressionFormat;
  /** In the format's own numbers; absent: the format's usual one. */
  readonly level?: number;
  /** Whether a layer in another format will not do, even if the destination has it. */
  readonly exclusive: boolean;
}
