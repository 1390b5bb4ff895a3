// Live progress: one moving line for each blob on its way, and a summary.

import { digestHex } from "../../core/content/digest.ts";
import type { ToldEvent } from "../../core/copy/events.ts";
import { renderDuration } from "./duration.ts";
import type { Log } from "./log.ts";
import { lineFor, logEvent, type Progress, whereOf } from "./progress.ts";
import { renderSize } from "./size.ts";
import type { Screen } from "./screen.ts";

/** What live progress is drawn with. */
export interface LiveOptions {
  readonly screen: Screen;
  readonly log: Log;
  /** Of the terminal, now. */
  size(): { readonly columns: number; readonly rows: number };
  /** A clock that only runs forward, in milliseconds. */
  now(): number;
  /** Does `work` again and again, until what it returns is called. */
  every(ms: number, work: () => void): () => void;
}

/** Shows progress to a person. Draws at most ten times a second, or when a blob ends. */
export function liveProgress(options: LiveOptions): Progress {
  const { screen, log, now } = options;
  /** What is on its way. */
  const moving = new Map<string, Moving>();
  const stop = options.every(redrawMs, () => draw(moving, options));
  return {
    tell(event) {
      const line = event.kind === "blob-begun" ? undefined : lineFor(event);
      if (line !== undefined) screen.line(whereOf(event) + line);
      const last = note(event, moving, now());
      if (last !== undefined) {
        draw(moving, options);
        screen.line(last);
      }
      logEvent(event, log);
    },
    [Symbol.dispose]() {
      stop();
      screen.draw([]);
    },
  };
}

const redrawMs = 100;

interface Moving {
  /** Which of several copies it is part of. */
  readonly copy: number;
  /** Which of its destinations it is for. */
  readonly destination: number | undefined;
  readonly label: string;
  readonly startedMs: number;
  /** In bytes; undefined if unknown. */
  readonly size: number | undefined;
  moved: number;
}

/** Takes an event into account. Returns the line that is left behind by what has ended. */
function note(event: ToldEvent, moving: Map<string, Moving>, nowMs: number): string | undefined {
  switch (event.kind) {
    case "copy-begun":
      forget(event, moving);
      return undefined;
    case "blob-begun": {
      const { copy = 0, destination, size } = event;
      const label = labelOf(event);
      moving.set(placeOf(event), { copy, destination, label, startedMs: nowMs, size, moved: 0 });
      return undefined;
    }
    case "blob-moved": {
      const blob = moving.get(placeOf(event));
      if (blob !== undefined) blob.moved += event.bytes;
      return undefined;
    }
    case "blob-restarted": {
      const blob = moving.get(placeOf(event));
      if (blob !== undefined) blob.moved = 0;
      return undefined;
    }
    case "blob-ended":
      moving.delete(placeOf(event));
      return `${labelOf(event)} ${event.outcome === "sent" ? "done" : "skipped: already exists"}`;
    case "copy-failed":
      forget(event, moving);
      return undefined;
    case "summary":
      return event.copies === 0 ? undefined : summaryOf(event);
    default:
      return undefined;
  }
}

/** What an attempt had on its way goes no further when the attempt has ended. */
function forget({ copy = 0, destination }: ToldEvent, moving: Map<string, Moving>): void {
  for (const [place, blob] of moving) {
    if (blob.copy !== copy) continue;
    if (destination === undefined || blob.destination === destination) moving.delete(place);
  }
}

/** Tells blobs apart that are on their way at the same time. */
function placeOf(event: ToldEvent & { readonly digest: string }): string {
  const { copy, destination, instance, digest } = event;
  return [copy, destination, instance, digest].join(" ");
}

function labelOf(event: ToldEvent & { readonly kind: "blob-begun" | "blob-ended" }): string {
  const what = event.role === "config" ? "Copying config" : "Copying blob";
  return `${whereOf(event)}${what} ${digestHex(event.digest)}`.slice(0, labelWidth);
}

/** As wide as the original's. */
const labelWidth = 25;
const barWidth = 40;

function draw(moving: ReadonlyMap<string, Moving>, { screen, size, now }: LiveOptions): void {
  const { columns, rows } = size();
  const lines = [...moving.values()].map((blob) => barOf(blob, now()));
  // A line that wrapped, or that scrolled away, could not be replaced any more.
  screen.draw(lines.slice(0, Math.max(1, rows - 2)).map((line) => line.slice(0, columns - 1)));
}

function barOf({ label, startedMs, size, moved }: Moving, nowMs: number): string {
  const seconds = Math.max(nowMs - startedMs, 1) / 1000;
  const rate = moved / seconds;
  const speed = `${renderSize(rate)}/s`;
  if (size === undefined || size === 0) return `${label} ${renderSize(moved)} | ${speed}`;
  const done = Math.min(barWidth, Math.floor((moved / size) * barWidth));
  const filled = done === 0 ? "" : `${"=".repeat(done - 1)}>`;
  const eta = rate > 0 ? renderDuration(Math.ceil(Math.max(0, size - moved) / rate) * 1000) : "?";
  const bar = `[${filled.padEnd(barWidth, "-")}]`;
  return `${label} ${bar} ${renderSize(moved)} / ${renderSize(size)} | ${speed} | ETA ${eta}`;
}

/** Returns the line that ends a run. */
export function summaryOf({
  seconds,
  blobs,
  bytes,
}: ToldEvent & { readonly kind: "summary" }): string {
  const parts = [
    `${renderSize(bytes.read)} moved in ${blobs.sent} blobs`,
    `${renderSize(bytes.reused)} reused in ${blobs.reused}`,
    `${renderSize(bytes.mounted)} mounted in ${blobs.mounted}`,
  ];
  return `${parts.join(", ")}, ${seconds.toFixed(1)} s`;
}
