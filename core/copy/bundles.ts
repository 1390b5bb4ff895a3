// Bundles: those that travel with an image, where its destination can hold them.

import { during, Failure, inContext } from "../failure.ts";
import type { DestinationTraits, ImageDestination } from "../image/destination.ts";
import type { Referrer, SignedManifest } from "../image/source.ts";
import type { Candidate } from "../trust/gate.ts";
import type { CopyRequest } from "./request.ts";

/** What is asked about bundles. */
export interface BundleWish {
  readonly of: "image" | "list";
  readonly traits: Pick<DestinationTraits, "holdsBundles">;
  readonly request: Pick<CopyRequest, "gate" | "signatures" | "tell">;
}

/**
 * Reads the bundles that travel with an image or a list: those that its policy rests on, or that its source
 * offers. None do where the destination holds none, and nobody is asked for any then.
 */
export async function readBundles(
  candidate: Candidate,
  { of, traits, request }: BundleWish,
): Promise<readonly Referrer[]> {
  if (traits.holdsBundles !== true || !(await mayTravel(candidate, { of, request }))) return [];
  const bundles = await readAll(candidate);
  if (bundles.length > 0) request.tell({ kind: "bundles-found", of, count: bundles.length });
  return bundles;
}

async function readAll(candidate: Candidate): Promise<readonly Referrer[]> {
  try {
    const { bundleReferrers } = await import("../trust/sigstore/find-bundles.ts");
    return await bundleReferrers(candidate);
  } catch (error) {
    const { code, message, side, hint, cause } = inContext(
      "reading Sigstore bundles",
      error,
      "source",
    );
    const without = "to copy the image without them, add --remove-signatures";
    throw new Failure(code, message, { side, cause, hint: hint ?? without });
  }
}

async function mayTravel(
  candidate: Candidate,
  { of, request }: Omit<BundleWish, "traits">,
): Promise<boolean> {
  const { signatures, gate } = request;
  if (signatures === "remove" || (of === "list" && signatures !== "copy")) return false;
  return gate.readsBundles(candidate.name) || (await candidate.offersBundles());
}

/** Writes the bundles of a manifest that was put. */
export async function putBundles(
  bundles: readonly Referrer[],
  { writer, of }: { readonly writer: ImageDestination; readonly of: SignedManifest },
): Promise<void> {
  if (bundles.length === 0) return;
  await during(
    "writing Sigstore bundles",
    async () => writer.putReferrers?.(bundles, of),
    "destination",
  );
}

/** Tells whether bundles are to travel to a destination that is not open yet. */
export async function bundlesTravel(candidate: Candidate, request: CopyRequest): Promise<boolean> {
  if (!(await mayTravel(candidate, { of: "image", request }))) return false;
  const { reference, context } = request.destination;
  const probe = await reference.openProbe?.(context);
  if (probe === undefined) return false;
  await using _ = probe;
  const quiet = { ...request, tell: () => {} };
  const wish = { of: "image", traits: probe.traits, request: quiet } as const;
  return (await readBundles(candidate, wish)).length > 0;
}
