// Sync run: images from one memory transport to another place, as a test wants it.

import { Patience } from "../../core/retry.ts";
import { jobsFor } from "../../core/sync/jobs.ts";
import type { SyncImage } from "../../core/sync/sync-image.ts";
import {
  type SyncEvent,
  type SyncRequest,
  type SyncResult,
  syncImages,
} from "../../core/sync/sync.ts";
import { Gate } from "../../core/trust/gate.ts";
import { acceptEverything } from "../../core/trust/requirements/basic.ts";
import type { MemoryTransport } from "./memory-transport.ts";
import { transportContext } from "./transport-context.ts";

/** What came of a run, and what it told. */
export interface SyncRun {
  readonly results: readonly SyncResult[];
  readonly events: readonly SyncEvent[];
}

/** Returns what is common to all copies of a run under a policy that accepts everything. */
export function plainCopy(): SyncRequest["copy"] {
  return {
    gate: new Gate(acceptEverything, { requireSigned: false, now: () => new Date() }),
    platform: { os: "linux", architecture: "amd64" },
    images: "system",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    now: () => new Date("2024-03-01T12:00:00Z"),
  };
}

/** Synchronizes images of these names to images of the same names. */
export async function syncBetween(
  from: MemoryTransport,
  into: SyncRequest["place"]["transport"],
  names: readonly string[],
  wish: Partial<SyncRequest> = {},
): Promise<SyncRun> {
  const events: SyncEvent[] = [];
  const context = transportContext();
  const images = names.map((name): SyncImage => {
    return { reference: from.parseReference(name), context, path: name, below: name };
  });
  const results = await syncImages({
    jobs: jobsFor([{ images }], ({ path }) => path),
    place: { transport: into, context, overwrites: false },
    copy: plainCopy(),
    parallelImages: 3,
    sharedBlobs: 4,
    keepsGoing: false,
    ordered: true,
    retrying: (work) => work(),
    patience: () => new Patience(),
    tell: (event) => events.push(event),
    ...wish,
  });
  return { results, events };
}
