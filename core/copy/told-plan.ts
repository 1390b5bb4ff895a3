// The told plan: what a plan says about itself.

import type { ImageManifest } from "../manifest/types.ts";
import type { CopyEvent } from "./events.ts";
import type { ImagePlan } from "./plan.ts";

type Told = Omit<CopyEvent & { readonly kind: "image-planned" }, "kind" | "digest">;

/** Returns what is told about a plan. */
export function toldPlan({ mediaType }: ImageManifest, plan: ImagePlan): Told {
  const { formats, frozenBecause, steps } = plan;
  return {
    mediaType,
    formats,
    ...(frozenBecause !== undefined && { frozenBecause }),
    blobs: steps.map(({ blob: { digest, size }, role, recoding }) => ({
      digest,
      role,
      ...(size !== undefined && { size }),
      recoding: recoding.kind,
      ...(recoding.kind === "compress" && { format: recoding.to }),
    })),
  };
}
