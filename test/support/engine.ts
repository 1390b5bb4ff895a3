// Engine: one copy between memory transports, as a test wants it.

import type { CopyEvent } from "../../core/copy/events.ts";
import { copyImages } from "../../core/copy/copy.ts";
import type { CopyOutcome, CopyRequest } from "../../core/copy/request.ts";
import type { Transport } from "../../core/image/transport.ts";
import { Gate, type Policy } from "../../core/trust/gate.ts";
import { acceptEverything } from "../../core/trust/policy.ts";
import { transportContext } from "./transport-context.ts";

/** What differs from copying `a` to `b` for linux/amd64 under a policy that accepts everything. */
export interface EngineWish extends Partial<Omit<CopyRequest, "source" | "destination" | "gate">> {
  readonly policy?: Policy;
  readonly to?: string;
}

/** Copies `a` of one transport to `b` of another, and keeps the events. */
export async function copyBetween(
  from: Transport,
  into: Transport,
  wish: EngineWish = {},
): Promise<CopyOutcome & { readonly events: readonly CopyEvent[] }> {
  const { policy = acceptEverything, to = "b", ...rest } = wish;
  const events: CopyEvent[] = [];
  const outcome = await copyImages({
    source: { reference: from.parseReference("a"), context: transportContext() },
    destination: { reference: into.parseReference(to), context: transportContext() },
    gate: new Gate(policy, { requireSigned: false }),
    platform: { os: "linux", architecture: "amd64" },
    images: "system",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    tell: (event) => events.push(event),
    ...rest,
  });
  return { ...outcome, events };
}
