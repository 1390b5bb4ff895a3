// Reports: all that a command says about its copies while they go and when they are done.

import type { Tell } from "../../core/copy/events.ts";
import { Tally } from "../../core/copy/tally.ts";
import { toldOf } from "../../core/copy/told-copy.ts";
import { asFailure } from "../../core/failure.ts";
import type { Progress } from "./progress.ts";

/** What a command says about its copies. Disposing ends it with a summary. */
export class Reports implements Disposable {
  readonly #listeners: readonly Progress[];
  readonly #now: () => number;
  readonly #beganMs: number;
  readonly #tally = new Tally();

  /** The clock only runs forward, in milliseconds. Listeners are disposed of with the reports. */
  constructor(listeners: readonly Progress[], now: () => number) {
    this.#listeners = listeners;
    this.#now = now;
    this.#beganMs = now();
  }

  /** Passes an event on to all who listen. */
  readonly tell: Tell = (event) => {
    this.#tally.note(event);
    for (const listener of this.#listeners) listener.tell(event);
  };

  /** Does the work of the command, and tells if it fails. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.tell({ kind: "failed", ...toldOf(asFailure(error)) });
      throw error;
    }
  }

  [Symbol.dispose](): void {
    const seconds = (this.#now() - this.#beganMs) / 1000;
    this.tell({ kind: "summary", seconds, ...this.#tally.summary });
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }
}
