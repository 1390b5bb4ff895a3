// Synchronizing: many images to one place, several at a time.

import { mapInTurn } from "../concurrency.ts";
import { BlobSharing } from "../copy/blob-sharing.ts";
import type { Tell, ToldEvent } from "../copy/events.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { ImageReference, TransportContext } from "../image/transport.ts";
import type { Patience } from "../retry.ts";
import { bringImage, type BroughtImage, type CommonCopy } from "./bring.ts";
import { checkSideBySide, type SyncJob } from "./jobs.ts";
import { checkWritable, parseTarget, prepareTarget, type SyncPlace } from "./target.ts";
import { Turns } from "./turns.ts";

/** Something that happened. Those of one image come together, and the images in the order of the jobs. */
export type SyncEvent =
  | {
      readonly kind: "image-begun";
      readonly from: string;
      readonly to: string;
      readonly number: number;
      readonly of: number;
    }
  | { readonly kind: "copy"; readonly event: ToldEvent }
  | { readonly kind: "image-ended"; readonly result: SyncResult };

/** What came of one image. */
export interface SyncResult extends Partial<Pick<BroughtImage, "digest" | "source">> {
  readonly from: string;
  readonly to: string;
  /** Those that failed have a failure, and no digest. */
  readonly outcome: BroughtImage["outcome"] | "failed";
  /** Read from the source, blobs only. */
  readonly bytes: number;
  readonly failure?: Failure;
}

/** What is to be synchronized, and how. */
export interface SyncRequest {
  readonly jobs: readonly SyncJob[];
  readonly place: SyncPlace;
  readonly copy: CommonCopy;
  /** Images copied at a time. */
  readonly parallelImages: number;
  /** Blobs moved at a time, of all images together. */
  readonly sharedBlobs: number;
  /** Whether the others are copied if an image cannot be. */
  readonly keepsGoing: boolean;
  /** Whether what copies tell waits for its turn, too. */
  readonly ordered: boolean;
  /** Does a copy as often as the user wants it tried. */
  readonly retrying: <T>(work: () => Promise<T>, tell: Tell) => Promise<T>;
  /** Returns how much waiting one image puts up with. */
  readonly patience: () => Patience;
  readonly tell: (event: SyncEvent) => unknown;
}

/**
 * Copies all images, and returns what came of each, in their order.
 *
 * An image that the destination has as it is costs one question to each side. Fails as the first image
 * did that cannot be copied, unless the others are wanted all the same: those before it are copied, and
 * nothing is said of those behind it. But it always fails where something would be written over that is not
 * to be, or an image be put inside of another one.
 */
export async function syncImages(request: SyncRequest): Promise<readonly SyncResult[]> {
  const { jobs, place } = request;
  // A name that is none is better found before anything is moved.
  if (place.transport.name === "docker") for (const { target } of jobs) parseTarget(target, place);
  checkSideBySide(jobs, place);
  const run = new Run(request);
  return mapInTurn(jobs, request.parallelImages, (job, signal, index) =>
    run.job(job, signal, index),
  );
}

class Run {
  readonly #request: SyncRequest;
  readonly #sharing: BlobSharing;
  readonly #turns: Turns<SyncEvent>;
  /** The last image of each name, so that two never write to one at the same time. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(request: SyncRequest) {
    this.#request = request;
    this.#sharing = new BlobSharing(request.sharedBlobs);
    this.#turns = new Turns(request.tell, mergeMoves);
  }

  async job(job: SyncJob, signal: AbortSignal, index: number): Promise<SyncResult> {
    const before = this.#writing.get(job.target);
    const done = Promise.withResolvers<void>();
    this.#writing.set(job.target, done.promise);
    const speaker = this.#turns.speaker(index);
    try {
      await before;
      const result = await this.#sync(job, { signal, index, say: speaker.say });
      speaker.say({ kind: "image-ended", result });
      return result;
    } catch (error) {
      speaker.fail();
      throw error;
    } finally {
      speaker.end();
      done.resolve();
    }
  }

  async #sync(job: SyncJob, turn: Turn): Promise<SyncResult> {
    const { place, keepsGoing } = this.#request;
    const { image, target, number, of } = job;
    using _parents = prepareTarget(target, place);
    const reference = parseTarget(target, place);
    const to = place.shown?.(target) ?? spelled(reference);
    const named = { from: spelled(image.reference), to };
    const { from } = named;
    const begin = once(() => turn.say({ kind: "image-begun", ...named, number, of }));
    try {
      return { ...named, ...(await this.#bring(job, reference, { ...turn, begin })) };
    } catch (error) {
      if (error instanceof Overwriting) throw error;
      begin();
      const failure = asFailure(error);
      if (!keepsGoing || failure.code === "canceled" || failure.code === "bug") {
        throw inContext(`Error copying ref ${JSON.stringify(from)}`, failure);
      }
      return { ...named, outcome: "failed", bytes: 0, failure };
    }
  }

  async #bring(
    { image, target }: SyncJob,
    reference: ImageReference,
    turn: Turn & { readonly begin: () => void },
  ): Promise<BroughtImage> {
    const { place, copy, retrying, patience } = this.#request;
    const waiting = patience();
    const at = (context: TransportContext) => ownContext(context, waiting, turn.signal);
    const source = { reference: image.reference, context: at(image.context) };
    const destination = { reference, context: at(place.context) };
    const tell = this.#tellOf(turn);
    const bringing = {
      ...{ source, destination, copy, place, tell, sharing: this.#sharing, chosen: image.chosen },
      // Nothing is said of an image for which there is no place.
      claim: () => checked(() => checkWritable(target, place)),
      begin: turn.begin,
    };
    return retrying(() => bringImage(bringing), tell);
  }

  #tellOf({ index, say }: Turn): Tell {
    const { ordered, tell } = this.#request;
    const pass = ordered ? say : tell;
    return (event) => pass({ kind: "copy", event: { ...event, copy: index } });
  }
}

/** What an image has while it is its turn, or before. */
interface Turn {
  readonly signal: AbortSignal;
  readonly index: number;
  readonly say: (event: SyncEvent) => unknown;
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** Of bytes that were moved, only the sum is of interest to those who hear of it later. */
function mergeMoves(earlier: SyncEvent, later: SyncEvent): SyncEvent | "before" | "apart" {
  if (earlier.kind !== "copy" || later.kind !== "copy") return "apart";
  const [one, other] = [earlier.event, later.event];
  if (one.kind !== "blob-moved" || other.kind !== "blob-moved") return "apart";
  if (one.digest !== other.digest || one.instance !== other.instance) return "before";
  return { kind: "copy", event: { ...other, bytes: one.bytes + other.bytes } };
}

/** Ends the whole run, whatever else may go on. */
class Overwriting extends Failure {}

function checked(check: () => void): void {
  try {
    check();
  } catch (error) {
    const { code, message, hint } = asFailure(error);
    throw new Overwriting(code, message, { hint, cause: error });
  }
}

/** Ends with the run, and waits for itself only: hundreds of images share no patience. */
function ownContext(
  context: TransportContext,
  patience: Patience,
  stop: AbortSignal,
): TransportContext {
  const { settings } = context;
  return {
    ...context,
    signal: AbortSignal.any([context.signal, stop]),
    settings: { ...settings, docker: { ...settings.docker, patience } },
  };
}
