// Copying to several destinations: the source is read once, and each of them gets all of it.

import { mapLimited } from "../concurrency.ts";
import { type Failure, asFailure } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { ImageSource } from "../image/source.ts";
import { type Admission, admitSelected } from "./admission.ts";
import { openSource, writeAdmitted } from "./copy.ts";
import { about, type Tell } from "./events.ts";
import type { CopyOutcome, CopyRequest, CopySide } from "./request.ts";
import { SharedSource, type SourceView } from "./shared-source.ts";
import { Spools } from "./spool.ts";
import { telling, toldOf } from "./told-copy.ts";

/** What is to be copied, and where to. */
export interface SeveralRequest extends Omit<CopyRequest, "destination"> {
  readonly destinations: readonly NumberedSide[];
  /** Whether some of them have failed before, and it is only they that are tried again. */
  readonly again: boolean;
}

/** One of several destinations. */
export interface NumberedSide extends CopySide {
  /** Which of all destinations of the copy it is, from 0. */
  readonly number: number;
}

/** What became of one destination. */
export type DestinationResult =
  | { readonly kind: "written"; readonly outcome: CopyOutcome }
  | { readonly kind: "failed"; readonly failure: Failure };

/**
 * Copies to several destinations at a time, and returns what became of each, in their order.
 *
 * The policy is asked once, and each blob is fetched once for all who want it. A destination that fails, or
 * is slow, is no concern of the others. Fails where the source does, or where the policy refuses it; but
 * where it is tried again, each destination fails of that, for others may be complete.
 */
export async function copyToSeveral(
  request: SeveralRequest,
): Promise<readonly DestinationResult[]> {
  const { destinations, tell } = request;
  await tellBeginning(request);
  try {
    const source = telling(request.source, "source", tell);
    await using reader = await openSource(source);
    await using shared = new SharedSource(reader, new Spools(source.context.temporaryDirectory));
    const admission = await admitSelected(shared.source, request);
    // All of them at once: who comes last wants as much as who comes first.
    const copies = destinations.map((destination) => ({ destination, view: shared.view() }));
    const limit = reader.concurrent ? copies.length : 1;
    return await mapLimited(copies, limit, ({ destination, view }) =>
      resultOf({ destination, view, admission, request }),
    );
  } catch (error) {
    const failure = asFailure(error);
    for (const tellOne of tellers(request)) tellOne({ kind: "copy-failed", ...toldOf(failure) });
    if (!request.again) throw failure;
    return destinations.map(() => ({ kind: "failed", failure }));
  }
}

/** Whom to tell what concerns all: where others are complete, each destination is told of by itself. */
function tellers({ destinations, again, tell }: SeveralRequest): readonly Tell[] {
  return again ? destinations.map(({ number }) => about({ destination: number }, tell)) : [tell];
}

async function tellBeginning(request: SeveralRequest): Promise<void> {
  const { source, destinations, again, tell } = request;
  const begin = (tellOne: Tell, sides: readonly CopySide[]) =>
    tellOne({
      kind: "copy-begun",
      source: spelled(source.reference),
      destinations: sides.map(({ reference }) => spelled(reference)),
    });
  if (!again) return void (await begin(tell, destinations));
  for (const side of destinations) await begin(about({ destination: side.number }, tell), [side]);
}

interface DestinationCopy {
  readonly destination: NumberedSide;
  readonly view: SourceView;
  readonly admission: Admission;
  readonly request: SeveralRequest;
}

async function resultOf(copy: DestinationCopy): Promise<DestinationResult> {
  const { destination, view, admission, request } = copy;
  const tell = about({ destination: destination.number }, request.tell);
  try {
    const outcome = await writeAdmitted(seenThrough(admission, view.source), {
      ...request,
      destination: telling(destination, "destination", tell),
      tell: settling(view, tell),
    });
    const { digest, manifest } = outcome;
    tell({ kind: "copy-ended", digest, mediaType: manifest.mediaType });
    return { kind: "written", outcome };
  } catch (error) {
    const failure = asFailure(error);
    tell({ kind: "copy-failed", ...toldOf(failure) });
    return { kind: "failed", failure };
  } finally {
    view.leave();
  }
}

/** Returns the same admission, with its blobs read from another view of the source. */
function seenThrough(admission: Admission, source: ImageSource): Admission {
  const image = admission.image.readFrom(source);
  if (admission.kind === "image") return { ...admission, image };
  const instances = admission.instances.map((each) => ({
    ...each,
    image: each.image.readFrom(source),
  }));
  return { ...admission, image, instances };
}

/** What a destination has, it does not want again; but configs are looked at until the manifest is written. */
function settling(view: SourceView, tell: Tell): Tell {
  return (event) => {
    if (event.kind === "blob-ended" && event.role === "layer") view.settle(event.digest);
    return tell(event);
  };
}
