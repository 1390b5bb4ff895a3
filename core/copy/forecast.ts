// Forecasts: what a command would do, gathered from the events of a dry run.

import type { Digest } from "../content/digest.ts";
import type { Decision } from "../trust/decision.ts";
import {
  type BlobForecast,
  failureIn,
  type ForeignLayer,
  type ToldEvent,
  type ToldFailure,
} from "./events.ts";
import type { Moves } from "./summary.ts";

/** The version of forecasts. Members may be added to it; none changes its meaning. */
export const forecastVersion = 1;

/** One image that would travel. */
export interface ImageForecast {
  /** Of its manifest at the source. */
  readonly digest: Digest;
  /** Of the manifest that would be written; absent where only sending the blobs can tell. */
  readonly writtenAs?: Digest;
  /** Of the manifest that would be written. */
  readonly mediaType?: string;
  /** Why the manifest would stay as it is; absent where it may change. */
  readonly frozenBecause?: string;
  readonly blobs: readonly BlobForecast[];
  readonly foreign: readonly ForeignLayer[];
}

/** What would become of a copy at one of its destinations. */
export interface DestinationForecast {
  readonly destination: string;
  /** Whether nothing stands in the way. */
  readonly ok: boolean;
  /** What the name would lead to; absent where only sending the blobs can tell. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  readonly images: readonly ImageForecast[];
  readonly totals: ForecastTotals;
  /** Why it would fail; absent if it would not, or all destinations would for the same reason. */
  readonly failure?: ToldFailure;
}

/** What would become of one copy. */
export interface CopyForecast {
  readonly source: string;
  /** Whether nothing stands in the way. */
  readonly ok: boolean;
  /** What the policy said of each image and list. */
  readonly policy: readonly Decision[];
  readonly destinations: readonly DestinationForecast[];
  /** Why it would fail at all destinations; absent if it would not. */
  readonly failure?: ToldFailure;
}

/** What all would come to. */
export interface ForecastTotals {
  readonly blobs: Moves;
  /** As far as it is known before. */
  readonly bytes: Moves & { readonly read: number };
  /** Blobs that would be sent, and of which nobody knows how large they are then. */
  readonly unknown: number;
  /** Layers that would stay where their URLs lead. */
  readonly foreign: number;
}

/** What a command would do. */
export interface RunForecast {
  readonly copies: readonly CopyForecast[];
  readonly totals: ForecastTotals;
  /** Why the command would fail; absent if it would not. */
  readonly failure?: ToldFailure;
}

/** Gathers forecasts from events. */
export class ForecastKeeper {
  readonly #copies = new Map<number, Gathered>();
  #failure: ToldFailure | undefined;

  /** Takes an event into account. */
  note(event: ToldEvent): void {
    if (event.kind === "failed") this.#failure = failureIn(event);
    const { copy = 0, destination = 0 } = event;
    if (event.kind === "copy-begun") return this.#begin(event);
    const gathered = this.#copies.get(copy);
    if (gathered === undefined) return;
    if (event.kind === "policy-decided") {
      const { kind: _, copy: __, destination: ___, instance: ____, ...decision } = event;
      gathered.policy.push(decision);
    }
    if (event.kind === "copy-failed" && event.destination === undefined) {
      gathered.failure = failureIn(event);
    }
    const place = gathered.places.get(destination);
    if (place !== undefined) gatherAt(event, place);
  }

  /** What would be done, as far as it is foreseen. */
  get forecast(): RunForecast {
    const copies = [...this.#copies.values()].map(copyForecast);
    const all = totalsOf(copies.flatMap(imagesOf));
    const read = copies.reduce((sum, copy) => sum + readOnce(imagesOf(copy)), 0);
    return {
      copies,
      totals: { ...all, bytes: { ...all.bytes, read } },
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }

  #begin(event: ToldEvent & { readonly kind: "copy-begun" }): void {
    const { copy = 0, destination, source, destinations } = event;
    const places = this.#copies.get(copy)?.places ?? new Map<number, Place>();
    for (const [index, name] of destinations.entries()) {
      places.set((destination ?? 0) + index, emptyPlace(name));
    }
    this.#copies.set(copy, { source, policy: [], places, failure: undefined });
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Gathered {
  readonly source: string;
  readonly policy: Decision[];
  readonly places: Map<number, Place>;
  failure: ToldFailure | undefined;
}

interface Image extends Writable<Omit<ImageForecast, "blobs">> {
  /** In the order in which they were found out about. */
  readonly blobs: BlobForecast[];
  /** In the order of the image. */
  readonly planned: readonly Digest[];
}

interface Place {
  readonly name: string;
  /** By their place in the list; the empty key is that of an image by itself. */
  readonly images: Map<number | undefined, Image>;
  ended: { readonly digest?: Digest; readonly mediaType?: string } | undefined;
  failure: ToldFailure | undefined;
}

function emptyPlace(name: string): Place {
  return { name, images: new Map(), ended: undefined, failure: undefined };
}

function gatherAt(event: ToldEvent, place: Place): void {
  const image = place.images.get(event.instance);
  switch (event.kind) {
    case "image-planned": {
      const { digest, frozenBecause, foreign } = event;
      const frozen = frozenBecause !== undefined && { frozenBecause };
      const planned = event.blobs.map((blob) => blob.digest);
      place.images.set(event.instance, { digest, ...frozen, blobs: [], foreign, planned });
      return;
    }
    case "blob-foreseen": {
      const { kind: _, copy: __, destination: ___, instance: ____, ...blob } = event;
      image?.blobs.push(blob);
      return;
    }
    case "manifest-foreseen":
      if (event.of === "list" || image === undefined) return;
      if (event.digest !== undefined) image.writtenAs = event.digest;
      image.mediaType = event.mediaType;
      return;
    case "copy-foreseen": {
      const { digest, mediaType } = event;
      place.ended = {
        ...(digest !== undefined && { digest }),
        ...(mediaType !== undefined && { mediaType }),
      };
      return;
    }
    case "copy-failed":
      if (event.destination !== undefined) place.failure = failureIn(event);
      return;
    default:
  }
}

function copyForecast({ source, policy, places, failure }: Gathered): CopyForecast {
  const destinations = [...places.values()].map(placeForecast);
  return {
    source,
    ok: destinations.every(({ ok }) => ok),
    policy,
    destinations,
    ...(failure !== undefined && { failure }),
  };
}

function placeForecast({ name, images, ended, failure }: Place): DestinationForecast {
  const all = [...images.values()].map(imageForecast);
  return {
    destination: name,
    ok: ended !== undefined,
    ...ended,
    images: all,
    totals: totalsOf(all),
    ...(failure !== undefined && { failure }),
  };
}

/** Blobs in the order of the image; what is made for its manifest comes last. */
function imageForecast({ planned, blobs, ...image }: Image): ImageForecast {
  const place = ({ digest }: BlobForecast) => {
    const index = planned.indexOf(digest);
    return index < 0 ? planned.length : index;
  };
  return { ...image, blobs: blobs.toSorted((one, other) => place(one) - place(other)) };
}

function imagesOf({ destinations }: CopyForecast): readonly ImageForecast[] {
  return destinations.flatMap(({ images }) => images);
}

/** Returns what is read at the source, where several destinations have each blob read once for all. */
function readOnce(images: readonly ImageForecast[]): number {
  const read = new Map<Digest, number>();
  for (const blob of images.flatMap(({ blobs }) => blobs)) {
    read.set(blob.digest, Math.max(read.get(blob.digest) ?? 0, blob.read ?? 0));
  }
  return [...read.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function totalsOf(images: readonly ImageForecast[]): ForecastTotals {
  const blobs = { sent: 0, reused: 0, mounted: 0 };
  const bytes = { read: 0, sent: 0, reused: 0, mounted: 0 };
  let unknown = 0;
  for (const { outcome, read = 0, size } of images.flatMap((each) => each.blobs)) {
    blobs[outcome]++;
    bytes[outcome] += size ?? 0;
    bytes.read += read;
    if (size === undefined) unknown++;
  }
  const foreign = images.reduce((all, each) => all + each.foreign.length, 0);
  return { blobs, bytes, unknown, foreign };
}
