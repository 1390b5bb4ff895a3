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
        for (const each of moved.takeAll()) write(each);
        return write(event);
      }
      const due = moved.add(event, options.elapsed());
      if (due !== undefined) write(due);
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

/** Bytes that were moved and are not told yet. */
class Moved {
  readonly #untold = new Map<string, Movement>();
  /** When each blob was told of. */
  readonly #toldMs = new Map<string, number>();

  /** Takes some bytes in. Returns what is due to be told of their blob. */
  add(event: Movement, nowMs: number): Movement | undefined {
    const { copy, destination, instance, digest } = event;
    const place = [copy, destination, instance, digest].join(" ");
    const before = this.#untold.get(place)?.bytes ?? 0;
    const all = { ...event, bytes: before + event.bytes };
    const told = this.#toldMs.get(place);
    if (told === undefined) this.#toldMs.set(place, nowMs);
    if (told === undefined || nowMs - told < everyMs) {
      this.#untold.set(place, all);
      return undefined;
    }
    this.#untold.delete(place);
    this.#toldMs.set(place, nowMs);
    return all;
  }

  /** Returns all that is not told yet. */
  takeAll(): readonly Movement[] {
    const all = [...this.#untold.values()];
    this.#untold.clear();
    return all;
  }
}

function lineOf({ kind, ...rest }: ToldEvent, { now, elapsed }: EventLineOptions): string {
  const ms = Math.round(elapsed() * 1000) / 1000;
  const line = { v: eventVersion, time: now().toISOString(), ms, event: kind, ...rest };
  return harmlessJson(JSON.stringify(line));
}
