// Engine: one copy between memory transports, as a test wants it.

import type { CopyEvent } from "../../core/copy/events.ts";
import { copyImages } from "../../core/copy/copy.ts";
import type { CopyOutcome, CopyRequest } from "../../core/copy/request.ts";
import { asFailure, type Failure } from "../../core/failure.ts";
import type { RawManifest } from "../../core/image/source.ts";
import type { Transport } from "../../core/image/transport.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import type { ImageManifest, ListManifest } from "../../core/manifest/types.ts";
import { Gate, type Policy } from "../../core/trust/gate.ts";
import { acceptEverything } from "../../core/trust/requirements/basic.ts";
import { MemoryTransport, type MemoryWish } from "./memory-transport.ts";
import type { Sample } from "./sample-images.ts";
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
    gate: new Gate(policy, { requireSigned: false, now: () => new Date() }),
    platform: { os: "linux", architecture: "amd64" },
    images: "system",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    now: () => new Date("2024-03-01T12:00:00Z"),
    tell: (event) => events.push(event),
    ...rest,
  });
  return { ...outcome, events };
}

/** Returns a transport where `a` is a sample. */
export function holding(sample: Sample, wish?: MemoryWish): MemoryTransport {
  const memory = new MemoryTransport(wish);
  memory.add("a", sample);
  return memory;
}

/** Returns a manifest as it is kept; without an instance, that of the top level. */
export function rawOf(memory: MemoryTransport, name: string, instance = ""): RawManifest {
  const raw = memory.images.get(name)?.manifests.get(instance);
  if (raw === undefined) throw new Error(`no image ${name}`);
  return raw;
}

/** Returns what is kept under a name, which has to be an image. */
export function keptImage(memory: MemoryTransport, name = "b", instance = ""): ImageManifest {
  const manifest = parseManifest(rawOf(memory, name, instance));
  if (manifest.kind !== "image") throw new Error(`${name} is a list`);
  return manifest;
}

/** Returns what is kept as `b`, which has to be a list. */
export function keptList(memory: MemoryTransport): ListManifest {
  const manifest = parseManifest(rawOf(memory, "b"));
  if (manifest.kind !== "list") throw new Error("b is no list");
  return manifest;
}

/** Returns what a copy fails with, and throws if it does not. */
export async function failureOf(copying: Promise<unknown>): Promise<Failure> {
  const result = await copying.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (result === undefined) throw new Error("the copy did not fail");
  return asFailure(result);
}

/** Returns a policy that refuses the images with these digests. */
export function rejecting(...names: readonly string[]): Policy {
  return {
    requirementsFor: () => [
      {
        type: "picky",
        verifiesSignatures: false,
        decide: async (candidate) => {
          const digest = await candidate.digest();
          return names.includes(digest)
            ? { allowed: false, reason: `${digest} is not welcome` }
            : { allowed: true };
        },
      },
    ],
  };
}
