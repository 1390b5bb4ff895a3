// The told plan: what a plan says about itself.

import type { ImageManifest } from "../manifest/types.ts";
import type { CopyEvent } from "./events.ts";
import type { ImagePlan } from "./plan.ts";

type Told = Omit<CopyEvent & { readonly kind: "image-planned" }, "kind" | "digest">;

/** Returns what is told about a plan. */
export function toldPlan({ mediaType, layers }: ImageManifest, plan: ImagePlan): Told {
  const { formats, frozenBecause, steps } = plan;
  const travelling = new Set(steps.map(({ blob }) => blob.digest));
  return {
    mediaType,
    formats,
    ...(frozenBecause !== undefined && { frozenBecause }),
    blobs: steps.map(({ blob: { digest, size }, role, recoding, crypt }) => ({
      digest,
      role,
      ...(size !== undefined && { size }),
      ...(crypt !== undefined && { crypt }),
      recoding: recoding.kind,
      ...(recoding.kind === "compress" && { format: recoding.to }),
    })),
    foreign: layers
      .filter(({ digest, urls = [] }) => urls.length > 0 && !travelling.has(digest))
      .map(({ digest, size }) => ({ digest, ...(size !== undefined && { size }) })),
  };
}
