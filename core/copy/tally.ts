// Tally: what a run of copies comes to, counted from its events.

import type { Digest } from "../content/digest.ts";
import type { CopyEvent, ToldEvent } from "./events.ts";
import type { Moves, Summary } from "./summary.ts";

/** Of one destination of a copy, or of what all of its destinations have in common. */
interface Count {
  readonly copy: number;
  state: "running" | "ended" | "failed";
  manifests: number;
  /** In bytes, by blob. */
  readonly read: Map<Digest, number>;
  readonly blobs: Writable<Moves>;
  readonly bytes: Writable<Moves>;
}

/** Returns what was read at the source, where several destinations of a copy have each blob read once. */
function readIn(counts: readonly Count[]): number {
  const most = new Map<string, number>();
  for (const { copy, read } of counts) {
    for (const [digest, bytes] of read) {
      const key = `${copy} ${digest}`;
      most.set(key, Math.max(bytes, most.get(key) ?? 0));
    }
  }
  return [...most.values()].reduce((sum, bytes) => sum + bytes, 0);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts what events tell, of any number of copies at a time. */
export class Tally {
  readonly #counts = new Map<string, Count>();
  #retries = 0;

  /** Takes an event into account. */
  note(event: ToldEvent): void {
    if (event.kind === "retry" || event.kind === "blob-restarted") this.#retries++;
    if (event.kind === "copy-begun") this.#forget(event);
    const { copy = 0, destination } = event;
    const key = `${copy} ${destination ?? ""}`;
    const count = this.#counts.get(key) ?? emptyCount(copy);
    this.#counts.set(key, count);
    add(event, count);
  }

  /** What it comes to so far. */
  get summary(): Summary {
    const counts = [...this.#counts.values()];
    const sum = (of: (count: Count) => number) => counts.reduce((all, each) => all + of(each), 0);
    const moves = (of: "blobs" | "bytes") => ({
      sent: sum((each) => each[of].sent),
      reused: sum((each) => each[of].reused),
      mounted: sum((each) => each[of].mounted),
    });
    return {
      copies: counts.filter(({ state }) => state === "ended").length,
      failures: counts.filter(({ state }) => state === "failed").length,
      manifests: sum(({ manifests }) => manifests),
      blobs: moves("blobs"),
      bytes: { read: readIn(counts), ...moves("bytes") },
      retries: this.#retries,
    };
  }

  /** What an attempt begins anew is not there yet. */
  #forget({ copy = 0, destination }: ToldEvent): void {
    for (const [key, count] of this.#counts) {
      if (count.copy !== copy) continue;
      if (destination === undefined || key === `${copy} ${destination}`) this.#counts.delete(key);
    }
  }
}

function emptyCount(copy: number): Count {
  const none = () => ({ sent: 0, reused: 0, mounted: 0 });
  return { copy, state: "running", manifests: 0, read: new Map(), blobs: none(), bytes: none() };
}

function add(event: CopyEvent, count: Count): void {
  if (event.kind === "copy-ended") count.state = "ended";
  if (event.kind === "copy-failed") count.state = "failed";
  if (event.kind === "manifest-written") count.manifests++;
  if (event.kind === "blob-moved") {
    count.read.set(event.digest, (count.read.get(event.digest) ?? 0) + event.bytes);
  }
  if (event.kind !== "blob-ended") return;
  count.blobs[event.outcome]++;
  count.bytes[event.outcome] += event.size;
}
