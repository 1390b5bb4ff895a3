// Event lines: what happens, as JSON, one object a line.

import { eventVersion, type ToldEvent } from "../../core/copy/events.ts";
import { harmlessJson } from "./json.ts";
import type { Progress } from "./progress.ts";

/** What event lines are written with. */
export interface EventLineOptions {
  /** Takes one line, without its end. */
  write(line: string): void;
  now(): Date;
  /** Milliseconds since the command began to work, by a clock that only runs forward. */
  elapsed(): number;
  /** Waits until all lines are taken. */
  written?(): Promise<void>;
  /** Called when nothing more will be written. */
  close?(): void;
}

/** Writes every event as a line. Of a blob on its way not every chunk is told, but all bytes are. */
export function eventLines(options: EventLineOptions): Progress {
  const moved = new Moved();
  const write = (event: ToldEvent) => options.write(lineOf(event, options));
  return {
    tell(event) {
      if (event.kind !== "blob-moved") {
        for (const each of moved.takeBefore(event)) write(each);
        return write(event);
      }
      for (const each of moved.add(event, options.elapsed())) write(each);
    },
    async end() {
      await options.written?.();
    },
    [Symbol.dispose]() {
      for (const each of moved.takeAll()) write(each);
      options.close?.();
    },
  };
}

type Movement = ToldEvent & { readonly kind: "blob-moved" };

/** More often nobody has to know how far a blob is. */
const everyMs = 250;

/** A blob on its way to one place. */
interface Way {
  /** Bytes that were moved and are not told yet. */
  untold: number;
  /** When it was told of; before that, when it began. */
  toldMs: number;
  readonly latest: Movement;
}

/** What was moved, and how much of it is told. */
class Moved {
  readonly #ways = new Map<string, Way>();

  /** Takes some bytes in. Returns what is due to be told of their blob. */
  add(event: Movement, nowMs: number): readonly Movement[] {
    const { copy, destination, instance, digest, bytes } = event;
    const place = [copy, destination, instance, digest].join(" ");
    const way = this.#ways.get(place) ?? { untold: 0, toldMs: nowMs, latest: event };
    this.#ways.set(place, way);
    way.untold += bytes;
    if (nowMs - way.toldMs < everyMs) return [];
    way.toldMs = nowMs;
    return tellAll(way);
  }

  /** Returns what is not told yet of all that an event is the end of. */
  takeBefore(event: ToldEvent): readonly Movement[] {
    const ended = [...this.#ways].filter(([, { latest }]) => isEndOf(event, latest));
    for (const [place] of ended) this.#ways.delete(place);
    return ended.flatMap(([, way]) => tellAll(way));
  }

  /** Returns all that is not told yet. */
  takeAll(): readonly Movement[] {
    return [...this.#ways.values()].flatMap(tellAll);
  }
}

function tellAll(way: Way): readonly Movement[] {
  if (way.untold === 0) return [];
  const told = { ...way.latest, bytes: way.untold };
  way.untold = 0;
  return [told];
}

/** Tells whether an event says how a movement has ended, or that it is to begin anew. */
function isEndOf(event: ToldEvent, { copy, destination, instance, digest }: Movement): boolean {
  switch (event.kind) {
    case "blob-ended":
    case "blob-restarted":
      return (
        event.digest === digest &&
        event.copy === copy &&
        event.destination === destination &&
        event.instance === instance
      );
    case "copy-begun":
    case "copy-ended":
    case "copy-failed":
      return (
        event.copy === copy &&
        (event.destination === undefined || event.destination === destination)
      );
    case "failed":
    case "summary":
      return true;
    default:
      return false;
  }
}

function lineOf({ kind, ...rest }: ToldEvent, { now, elapsed }: EventLineOptions): string {
  const ms = Math.round(elapsed() * 1000) / 1000;
  const line = { v: eventVersion, time: now().toISOString(), ms, event: kind, ...rest };
  return harmlessJson(JSON.stringify(line));
}
