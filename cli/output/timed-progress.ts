// Timed progress: how far it is, every ten seconds, for logs that somebody may watch.

import type { ToldEvent } from "../../core/copy/events.ts";
import { renderDuration } from "./duration.ts";
import { summaryOf } from "./live-progress.ts";
import type { Progress } from "./progress.ts";
import { renderSize } from "./size.ts";

/** What timed progress is written with. */
export interface TimedOptions {
  /** Takes one line, without its end. */
  write(line: string): void;
  /** A clock that only runs forward, in milliseconds. */
  now(): number;
  /** Does `work` again and again, until what it returns is called. */
  every(ms: number, work: () => void): () => void;
}

/** Says every ten seconds how far it is, how fast, and how long it will take; and a summary in the end. */
export function timedProgress({ write, now, every }: TimedOptions): Progress {
  const way = new Way();
  let before = { moved: 0, ms: now() };
  const stop = every(everyMs, () => {
    const ms = now();
    const rate = ((way.moved - before.moved) * 1000) / Math.max(1, ms - before.ms);
    before = { moved: way.moved, ms };
    write(way.line(rate));
  });
  return {
    tell(event) {
      way.note(event);
      if (event.kind === "summary" && event.copies > 0) write(summaryOf(event));
    },
    [Symbol.dispose]: stop,
  };
}

const everyMs = 10_000;

/** One image on its way to one destination. */
interface Stretch {
  readonly copy: number;
  readonly destination: number | undefined;
  /** The sizes of its blobs, by digest. */
  readonly sizes: ReadonlyMap<string, number>;
  /** In bytes: all that has to be there, and what is. */
  readonly total: number;
  readonly blobs: number;
  ended: number;
  done: number;
  /** What was read of blobs that have not ended. */
  readonly partly: Map<string, number>;
}

/** What has to be moved in all, as far as that is known, and how much of it is. */
class Way {
  readonly #stretches = new Map<string, Stretch>();
  /** All that was read, in bytes: it only grows. */
  moved = 0;

  note(event: ToldEvent): void {
    const { copy = 0, destination, instance } = event;
    const place = [copy, destination, instance].join(" ");
    if (event.kind === "copy-begun") this.#forget(copy, destination);
    if (event.kind === "blob-moved") this.moved += event.bytes;
    if (event.kind === "image-planned") {
      const sizes = event.blobs.map(({ digest, size = 0 }) => [digest, size] as const);
      this.#stretches.set(place, {
        copy,
        destination,
        sizes: new Map(sizes),
        total: sizes.reduce((sum, [, size]) => sum + size, 0),
        blobs: sizes.length,
        ended: 0,
        done: 0,
        partly: new Map(),
      });
    }
    const stretch = this.#stretches.get(place);
    if (stretch !== undefined) advance(event, stretch);
  }

  line(rate: number): string {
    const all = [...this.#stretches.values()];
    const sum = (of: (stretch: Stretch) => number) => all.reduce((sum, each) => sum + of(each), 0);
    const total = sum((each) => each.total);
    const partly = sum(({ partly }) => [...partly.values()].reduce((a, b) => a + b, 0));
    const done = Math.min(total, sum((each) => each.done) + partly);
    const percent = total === 0 ? "" : ` (${Math.floor((done * 100) / total)}%)`;
    const left = rate > 0 ? Math.ceil((total - done) / rate) : undefined;
    return [
      `${renderSize(done)} of ${renderSize(total)}${percent}`,
      `${renderSize(rate)}/s`,
      ...(left === undefined ? [] : [`ETA ${renderDuration(left * 1000)}`]),
      `${sum(({ ended }) => ended)} of ${sum(({ blobs }) => blobs)} blobs`,
    ].join(", ");
  }

  /** Forgets what is begun anew: at one destination, or at all. */
  #forget(copy: number, destination: number | undefined): void {
    for (const [place, stretch] of this.#stretches) {
      const meant = destination === undefined || stretch.destination === destination;
      if (meant && stretch.copy === copy) this.#stretches.delete(place);
    }
  }
}

function advance(event: ToldEvent, stretch: Stretch): void {
  if (event.kind === "blob-moved") {
    const size = stretch.sizes.get(event.digest) ?? Infinity;
    const now = (stretch.partly.get(event.digest) ?? 0) + event.bytes;
    // What is read again because it failed does not bring it further.
    stretch.partly.set(event.digest, Math.min(size, now));
  }
  if (event.kind === "blob-restarted") stretch.partly.delete(event.digest);
  if (event.kind !== "blob-ended") return;
  stretch.partly.delete(event.digest);
  stretch.ended++;
  stretch.done += stretch.sizes.get(event.digest) ?? 0;
}
