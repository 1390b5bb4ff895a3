// Judging: what the policy says of an image, as copy would ask it.

import type { CopyEvent } from "../../core/copy/events.ts";
import { admitSelected } from "../../core/copy/admission.ts";
import type { ImageSelection } from "../../core/copy/select.ts";
import { during, Failure } from "../../core/failure.ts";
import { spelled } from "../../core/image/name.ts";
import type { ImageReference, TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import type { Decision } from "../../core/trust/decision.ts";
import type { Gate } from "../../core/trust/gate.ts";
import type { Call } from "../command.ts";
import { platformWish } from "../compose.ts";

/** What is asked about one image. */
export interface JudgingWish {
  readonly reference: ImageReference;
  readonly context: TransportContext;
  readonly gate: Gate;
  readonly images: ImageSelection;
}

/** What the gate said. */
export interface JudgedImage {
  /** In the order in which it was asked. */
  readonly decisions: readonly Decision[];
  /** The failure of a copy that was refused; absent: it would not be. */
  readonly refusal?: Failure;
}

/** Reads an image and asks the policy, as copy does. Nothing is written. */
export async function judge(call: Call, wish: JudgingWish): Promise<JudgedImage> {
  const { reference, context, gate, images } = wish;
  const decisions: Decision[] = [];
  await using source = await during(
    `initializing source ${spelled(reference)}`,
    () => reference.openSource(context),
    "source",
  );
  const tell = (event: CopyEvent) => {
    if (event.kind !== "policy-decided") return;
    const { kind: _, ...decision } = event;
    decisions.push(decision);
  };
  try {
    await admitSelected(source, {
      gate,
      images,
      platform: platformWish(call),
      parallelBlobs: limits.parallelBlobs,
      signatures: "copy",
      tell,
    });
    return { decisions };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "rejected") throw error;
    return { decisions, refusal: error };
  }
}
