// Layer file: a regular file of a layer while its content comes.

import { closeSync, writeSync } from "node:fs";
import { failureAt } from "../../shared/system.ts";

/** A file to be written. Disposing closes it. */
export class LayerFile implements Disposable {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #finish: () => void;

  /** Takes over an open descriptor. Failures name `path`; `finish` runs when all of the content is there. */
  constructor(descriptor: number, path: string, finish: () => void) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#finish = finish;
  }

  /** Writes the next of the content. Fails with `io`. */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw failureAt(this.#path, error);
    }
  }

  /** Gives the file what its header says: to be called once, when its content is there. */
  complete(): void {
    this.#finish();
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
