// Live progress: one moving line for each blob on its way, and a summary.

import { digestHex } from "../../core/content/digest.ts";
import type { CopyEvent } from "../../core/copy/events.ts";
import { renderDuration } from "./duration.ts";
import type { Log } from "./log.ts";
import { lineFor, logEvent, type Progress } from "./progress.ts";
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
  let board = emptyBoard(now());
  const stop = options.every(redrawMs, () => draw(board, options));
  return {
    begin() {
      board = emptyBoard(now());
      return (event) => {
        const line = event.kind === "blob-begun" ? undefined : lineFor(event);
        if (line !== undefined) screen.line(line);
        const last = note(event, board, now());
        if (last !== undefined) {
          draw(board, options);
          screen.line(last);
        }
        logEvent(event, log);
      };
    },
    finish() {
      screen.draw([]);
      screen.line(summary(board, now()));
    },
    [Symbol.dispose]() {
      stop();
      screen.draw([]);
    },
  };
}

const redrawMs = 100;

interface Board {
  readonly startedMs: number;
  /** What is on its way, by digest. */
  readonly moving: Map<string, Moving>;
  readonly ended: Record<"sending" | "presence" | "mounting", Tally>;
  /** In bytes, of all blobs. */
  moved: number;
}

interface Moving {
  readonly label: string;
  readonly startedMs: number;
  /** In bytes; undefined if unknown. */
  readonly size: number | undefined;
  moved: number;
}

interface Tally {
  blobs: number;
  bytes: number;
}

function emptyBoard(startedMs: number): Board {
  const none = () => ({ blobs: 0, bytes: 0 });
  const ended = { sending: none(), presence: none(), mounting: none() };
  return { startedMs, moving: new Map(), ended, moved: 0 };
}

/** Takes an event into account. Returns the line that a blob leaves behind, when it has ended. */
function note(event: CopyEvent, board: Board, nowMs: number): string | undefined {
  if (event.kind === "blob-begun") {
    const { digest, size } = event;
    board.moving.set(digest, { label: labelOf(event), startedMs: nowMs, size, moved: 0 });
  }
  if (event.kind === "blob-moved") {
    board.moved += event.bytes;
    const blob = board.moving.get(event.digest);
    if (blob !== undefined) blob.moved += event.bytes;
  }
  if (event.kind === "blob-restarted") {
    const blob = board.moving.get(event.digest);
    if (blob !== undefined) blob.moved = 0;
  }
  if (event.kind !== "blob-ended") return undefined;
  board.moving.delete(event.digest);
  const tally = board.ended[event.by];
  tally.blobs++;
  tally.bytes += event.size;
  const words = event.by === "sending" ? "done" : "skipped: already exists";
  return `${labelOf(event)} ${words}`;
}

function labelOf(event: CopyEvent & { readonly kind: "blob-begun" | "blob-ended" }): string {
  const what = event.role === "config" ? "Copying config" : "Copying blob";
  return `${what} ${digestHex(event.digest)}`.slice(0, labelWidth);
}

/** As wide as the original's. */
const labelWidth = 25;
const barWidth = 40;

function draw(board: Board, { screen, size, now }: LiveOptions): void {
  const { columns, rows } = size();
  const lines = [...board.moving.values()].map((blob) => barOf(blob, now()));
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

function summary({ ended, moved, startedMs }: Board, nowMs: number): string {
  const seconds = ((nowMs - startedMs) / 1000).toFixed(1);
  const { sending, presence, mounting } = ended;
  const parts = [
    `${renderSize(moved)} moved in ${sending.blobs} blobs`,
    `${renderSize(presence.bytes)} reused in ${presence.blobs}`,
    `${renderSize(mounting.bytes)} mounted in ${mounting.blobs}`,
  ];
  return `${parts.join(", ")}, ${seconds} s`;
}
