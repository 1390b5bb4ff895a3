// Reports: all that a command says about its copies while they go and when they are done.

import type { Tell } from "../../core/copy/events.ts";
import { Tally } from "../../core/copy/tally.ts";
import { toldOf } from "../../core/copy/told-copy.ts";
import { asFailure } from "../../core/failure.ts";
import type { Log } from "./log.ts";
import { roomInOutlets } from "./outlet.ts";
import type { Progress } from "./progress.ts";

/** What a command says about its copies. */
export class Reports implements Disposable {
  readonly #listeners: readonly Progress[];
  readonly #elapsed: () => number;
  readonly #log: Log;
  readonly #tally = new Tally();

  /**
   * Listeners are disposed of with the reports. The clock only runs forward, in milliseconds since the
   * command began to work.
   */
  constructor(listeners: readonly Progress[], elapsed: () => number, log: Log) {
    this.#listeners = listeners;
    this.#elapsed = elapsed;
    this.#log = log;
  }

  /** Passes an event on to all who listen. Where one of them is slow, returns when there is room again. */
  readonly tell: Tell = (event) => {
    this.#tally.note(event);
    for (const listener of this.#listeners) listener.tell(event);
    return roomInOutlets();
  };

  /** Does the work of the command, and says how it ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let done: T;
    try {
      done = await work();
    } catch (error) {
      this.tell({ kind: "failed", ...toldOf(asFailure(error)) });
      // A second error would only hide the one that led here.
      await this.#end().catch((second) => this.#log.warn(asFailure(second).message));
      throw error;
    }
    await this.#end();
    return done;
  }

  [Symbol.dispose](): void {
    for (const listener of this.#listeners) listener[Symbol.dispose]();
  }

  async #end(): Promise<void> {
    const seconds = Math.round(this.#elapsed()) / 1000;
    this.tell({ kind: "summary", seconds, ...this.#tally.summary });
    for (const listener of this.#listeners) await listener.end?.();
  }
}
