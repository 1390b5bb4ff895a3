// Tar-split file: where a store keeps what rebuilding a layer needs besides its files.

import { closeSync, openSync, writeSync } from "node:fs";
import type { TarSplitEncoder } from "../../../core/blob/tar-split.ts";
import { attempt, failureAt } from "../../shared/system.ts";

/** A tar-split on its way to a new file. Disposing closes it. */
export class TarSplitFile implements Disposable {
  readonly #path: string;
  readonly #file: number;
  #written = false;

  /** Begins a file that nothing stands in the place of. */
  constructor(path: string) {
    this.#path = path;
    this.#file = attempt(() => openSync(path, "wx", 0o600));
  }

  /** Writes what an encoder has gathered; with `all`, that is the end. Fails with `io`. */
  write(encoder: TarSplitEncoder, all: "all" | "enough"): void {
    // Not even an empty layer has an empty file: nobody could decompress that.
    const lines = encoder.take(all) ?? (all === "all" && !this.#written ? nothing : undefined);
    if (lines === undefined) return;
    this.#written = true;
    // One member of gzip after the other: readers take them for one stream.
    const member = Bun.gzipSync(lines, { level: 1 });
    try {
      for (let at = 0; at < member.length;) at += writeSync(this.#file, member, at);
    } catch (error) {
      throw failureAt(this.#path, error);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

const nothing = new Uint8Array();
