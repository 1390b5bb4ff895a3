// Results: what a command has done, for programs; gathered from its events.

import type { Digest } from "../content/digest.ts";
import type { BlobRole } from "../image/destination.ts";
import type { Decision } from "../trust/decision.ts";
import type { BlobOutcome } from "./blob-outcome.ts";
import { failureIn, type ToldEvent, type ToldFailure } from "./events.ts";
import type { Summary } from "./summary.ts";
import { Tally } from "./tally.ts";

/** The version of results. Members may be added to it; none changes its meaning. */
export const resultVersion = 1;

/** A blob as it is at a destination. */
export interface BlobResult {
  /** At the source. */
  readonly digest: Digest;
  readonly role: BlobRole;
  readonly outcome: BlobOutcome;
  /** In bytes, at the destination. */
  readonly size: number;
  /** Its digest at the destination; absent where it is the same. */
  readonly storedAs?: Digest;
}

/** A manifest as it was written. */
export interface ManifestResult {
  readonly of: "image" | "list";
  readonly digest: Digest;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
}

/** What became of a copy at one of its destinations. */
export interface DestinationResult {
  readonly destination: string;
  readonly ok: boolean;
  /** Of the manifest, or list, that the name leads to now; absent if the copy failed. */
  readonly digest?: Digest;
  /** Likewise; absent also if nobody had to read it. */
  readonly mediaType?: string;
  /** Whether it was there before, as it is. */
  readonly present: boolean;
  readonly manifests: readonly ManifestResult[];
  readonly blobs: readonly BlobResult[];
  /** Why it failed; absent if it did not, or all destinations failed for the same reason. */
  readonly failure?: ToldFailure;
}

/** What became of one copy, by its last attempt. */
export interface CopyResult {
  readonly source: string;
  readonly ok: boolean;
  readonly attempts: number;
  /** What the policy said of each image and list. */
  readonly policy: readonly Decision[];
  readonly destinations: readonly DestinationResult[];
  /** Why it failed at all destinations; absent if it did not. */
  readonly failure?: ToldFailure;
}

/** What a command has done. */
export interface RunResult {
  readonly copies: readonly CopyResult[];
  readonly summary: Summary;
  /** Why the command failed; absent if it did not. */
  readonly failure?: ToldFailure;
}

/** Gathers results from events. */
export class ResultKeeper {
  readonly #copies = new Map<number, Gathered>();
  readonly #tally = new Tally();
  #failure: ToldFailure | undefined;

  /** Takes an event into account. */
  note(event: ToldEvent): void {
    this.#tally.note(event);
    if (event.kind === "failed") this.#failure = failureIn(event);
    const { copy = 0 } = event;
    if (event.kind === "copy-begun") this.#begin(event);
    const gathered = this.#copies.get(copy);
    if (gathered !== undefined) gather(event, gathered);
  }

  /** What was done so far. */
  get result(): RunResult {
    return {
      copies: [...this.#copies.values()].map(copyResult),
      summary: this.#tally.summary,
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }

  /** An attempt at all destinations begins anew; one at a single destination concerns that alone. */
  #begin(event: ToldEvent & { readonly kind: "copy-begun" }): void {
    const { copy = 0, destination, source, destinations } = event;
    const places = this.#copies.get(copy)?.places ?? new Map<number, Place>();
    for (const [index, name] of destinations.entries()) {
      const number = (destination ?? 0) + index;
      places.set(number, emptyPlace(name, (places.get(number)?.attempts ?? 0) + 1));
    }
    this.#copies.set(copy, { source, policy: [], places, failure: undefined });
  }
}

interface Gathered {
  readonly source: string;
  readonly policy: Decision[];
  readonly places: Map<number, Place>;
  failure: ToldFailure | undefined;
}

interface Place {
  readonly name: string;
  readonly attempts: number;
  readonly manifests: ManifestResult[];
  readonly blobs: BlobResult[];
  present: boolean;
  ended: { readonly digest: Digest; readonly mediaType?: string } | undefined;
  failure: ToldFailure | undefined;
}

function emptyPlace(name: string, attempts: number): Place {
  return {
    name,
    attempts,
    manifests: [],
    blobs: [],
    present: false,
    ended: undefined,
    failure: undefined,
  };
}

function gather(event: ToldEvent, gathered: Gathered): void {
  if (event.kind === "policy-decided") {
    const { kind: _, copy: __, destination: ___, instance: ____, ...decision } = event;
    gathered.policy.push(decision);
  }
  if (event.kind === "copy-failed" && event.destination === undefined) {
    gathered.failure = failureIn(event);
  }
  const place = gathered.places.get(event.destination ?? 0);
  if (place !== undefined) gatherAt(event, place);
}

function gatherAt(event: ToldEvent, place: Place): void {
  switch (event.kind) {
    case "blob-ended": {
      const { digest, role, outcome, size, storedAs } = event;
      const renamed = storedAs !== undefined && { storedAs };
      place.blobs.push({ digest, role, outcome, size, ...renamed });
      return;
    }
    case "manifest-written": {
      const { of, digest, mediaType, size } = event;
      place.manifests.push({ of, digest, mediaType, size });
      return;
    }
    case "image-present":
      if (event.instance === undefined) place.present = true;
      return;
    case "copy-ended": {
      const { digest, mediaType } = event;
      place.ended = { digest, ...(mediaType !== undefined && { mediaType }) };
      return;
    }
    case "copy-failed":
      if (event.destination !== undefined) place.failure = failureIn(event);
      return;
    default:
  }
}

function copyResult({ source, policy, places, failure }: Gathered): CopyResult {
  const destinations = [...places.values()].map(placeResult);
  return {
    source,
    ok: destinations.every(({ ok }) => ok),
    attempts: Math.max(...[...places.values()].map(({ attempts }) => attempts)),
    policy,
    destinations,
    ...(failure !== undefined && { failure }),
  };
}

function placeResult({
  name,
  present,
  manifests,
  blobs,
  ended,
  failure,
}: Place): DestinationResult {
  return {
    destination: name,
    ok: ended !== undefined,
    ...ended,
    present,
    manifests,
    blobs,
    ...(failure !== undefined && { failure }),
  };
}
