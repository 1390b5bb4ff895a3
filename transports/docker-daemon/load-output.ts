// Load output: an archive on its way into an engine, without being kept anywhere on the way.

import { asFailure, Failure } from "../../core/failure.ts";
import type { TarOutput } from "../shared/tar-output.ts";
import type { Engine } from "./engine.ts";
import { Pipe } from "./pipe.ts";

/** Sends an archive while it is being written. Until it is complete the engine takes nothing from it. */
export class LoadOutput implements TarOutput {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  readonly #pipe = new Pipe();
  readonly #stop = new AbortController();
  #answer: Promise<readonly PromiseSettledResult<void>[]> | undefined;
  #position = 0;
  #complete = false;

  /** Nothing is sent before the first piece is written. */
  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  get position(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // Settled, so that a failure waits for us, rather than ends the program as nobody's.
    this.#answer ??= Promise.allSettled([this.#send()]);
    this.#position += bytes.length;
    try {
      await this.#pipe.write(bytes);
    } catch (error) {
      // An engine that has answered before the end has said why.
      await this.#answered();
      throw error;
    }
  }

  /** Waits until the engine has taken the image. Fails with what it says if it does not. */
  async complete(): Promise<void> {
    this.#pipe.end();
    await this.#answered();
    this.#complete = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#complete || this.#answer === undefined) return;
    const failure = new Failure("canceled", "the image is given up");
    this.#pipe.fail(failure);
    this.#stop.abort(failure);
    await this.#answer;
  }

  async #send(): Promise<void> {
    const signal = AbortSignal.any([this.#signal, this.#stop.signal]);
    try {
      await this.#engine.loadImages(this.#pipe.read(), signal);
    } catch (error) {
      this.#pipe.fail(error);
      throw error;
    }
  }

  async #answered(): Promise<void> {
    for (const outcome of (await this.#answer) ?? []) {
      if (outcome.status === "rejected") throw asFailure(outcome.reason);
    }
  }
}
