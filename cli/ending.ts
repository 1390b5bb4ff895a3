// The ending: how a run is cut short, by a signal or by its time-out.

import { Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import { type EndingSignal, endingSignals, exitCodeOfSignal } from "./exit.ts";

/** Watches for what ends a run early, and gives the run a moment to clean up. */
export class Ending {
  readonly #controller = new AbortController();
  readonly #exit: (code: number) => void;
  #endedBy: EndingSignal | undefined;

  /** Listens from now on. `exit` ends the process at once. */
  constructor(exit: (code: number) => void) {
    this.#exit = exit;
    for (const signal of Object.keys(endingSignals) as EndingSignal[]) {
      process.on(signal, () => this.#by(signal));
    }
  }

  /** Aborted when the run is to end; the reason is the failure to report. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code that a signal asks for; absent if none came. */
  get exitCode(): number | undefined {
    return this.#endedBy === undefined ? undefined : exitCodeOfSignal(this.#endedBy);
  }

  /** Ends the run when this time has passed. */
  after(timeoutMs: number): void {
    const end = () => this.#end(new Failure("canceled", "context deadline exceeded"));
    if (timeoutMs < 0) end();
    else setTimeout(end, Math.min(timeoutMs, longestTimerMs)).unref();
  }

  /**
   * All has been done and said. The runtime goes on waiting for a request that was given up while its body
   * was on its way, sometimes for ever; what is still there shortly after is that, and ends with us.
   */
  done(code: number): void {
    setTimeout(() => this.#exit(code), limits.lastMs).unref();
  }

  #by(signal: EndingSignal): void {
    // Whoever asks twice does not want to wait for the cleaning up.
    if (this.#endedBy !== undefined) return this.#exit(exitCodeOfSignal(signal));
    this.#endedBy = signal;
    this.#end(new Failure("canceled", `canceled by ${signal}`));
  }

  #end(reason: Failure): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    setTimeout(() => this.#exit(this.exitCode ?? 1), limits.cleanUpMs).unref();
  }
}

/** Longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1;
