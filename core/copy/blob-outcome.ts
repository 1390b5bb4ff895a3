// BlobOutcome: how a blob got to where it was to be.

import type { StoredBlob } from "../image/destination.ts";

/** How a blob got to the destination: it was sent, it was there, or it was taken from a neighbour. */
export type BlobOutcome = "sent" | "reused" | "mounted";

/** Returns what is told about how a blob got there. */
export function outcomeOf({ by }: Pick<StoredBlob, "by">): BlobOutcome {
  switch (by) {
    case "sending":
      return "sent";
    case "presence":
      return "reused";
    case "mounting":
      return "mounted";
  }
}
