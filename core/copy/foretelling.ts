// Foretelling: what a rehearsal tells, said as what would happen.

import type { Digest } from "../content/digest.ts";
import type { CopyEvent, PlannedBlob, Tell, ToldEvent } from "./events.ts";

type Foreseen = CopyEvent & { readonly kind: "blob-foreseen" };
type Ended = ToldEvent & { readonly kind: "blob-ended" };

/**
 * Returns whom a rehearsal tells what it does, so that `tell` hears what a copy would do. `unknown` holds
 * the digests that stand for ones that nobody knows.
 */
export function foretelling(tell: Tell, unknown: ReadonlySet<Digest>): Tell {
  const planned = new Map<string, PlannedBlob>();
  /** The images, and all that contains them, of which the digest is not known either. */
  const blurred = new Set<string>();
  return (event) => {
    const image = imageOf(event);
    switch (event.kind) {
      case "copy-begun":
        return tell({ ...event, dryRun: true });
      case "image-planned":
        for (const blob of event.blobs) planned.set(`${image} ${blob.digest}`, blob);
        return tell(event);
      case "blob-ended": {
        const hidden = unknown.has(event.storedAs ?? event.digest);
        if (hidden) for (const place of [image, listOf(event)]) blurred.add(place);
        return tell({
          ...scopeOf(event),
          ...foreseen(event, planned.get(`${image} ${event.digest}`), hidden),
        });
      }
      case "manifest-written": {
        const { digest, size, mediaType, of } = event;
        const known = !blurred.has(of === "list" ? listOf(event) : image) && { digest, size };
        return tell({ ...scopeOf(event), kind: "manifest-foreseen", of, mediaType, ...known });
      }
      case "copy-ended": {
        const { digest, mediaType } = event;
        return tell({
          ...scopeOf(event),
          kind: "copy-foreseen",
          ...(!blurred.has(listOf(event)) && { digest }),
          ...(mediaType !== undefined && { mediaType }),
        });
      }
      case "blob-begun":
      case "blob-moved":
      case "manifest-begun":
      case "signatures-begun":
        return;
      default:
        return tell(event);
    }
  };
}

function foreseen(
  { digest, role, outcome, size, storedAs, changes = [] }: Ended,
  planned: PlannedBlob | undefined,
  hidden: boolean,
): Foreseen {
  // What no plan names is made for the manifest.
  const read = planned === undefined || outcome !== "sent" ? 0 : planned.size;
  return {
    kind: "blob-foreseen",
    digest,
    role,
    outcome,
    changes,
    ...(read !== undefined && { read }),
    ...(!hidden && { size }),
    ...(!hidden && storedAs !== undefined && { storedAs }),
  };
}

function scopeOf({ copy, destination, instance }: ToldEvent) {
  return {
    ...(copy !== undefined && { copy }),
    ...(destination !== undefined && { destination }),
    ...(instance !== undefined && { instance }),
  };
}

function imageOf({ copy, destination, instance }: ToldEvent): string {
  return [copy, destination, instance].join(" ");
}

function listOf({ copy, destination }: ToldEvent): string {
  return [copy, destination, undefined].join(" ");
}
