// Small files: written in one go, where nothing else can be done meanwhile.

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { attempt } from "./system.ts";

/** How a file is written. */
export interface SmallFileWish {
  readonly mode: number;
  /** Whether it has to be on the disk, and not only on its way there. */
  readonly durable?: boolean;
}

/** Writes a file where there is none. Fails with `io`; what was written by then is for the caller to remove. */
export function writeSmallFile(path: string, bytes: Uint8Array, wish: SmallFileWish): void {
  attempt(() => {
    const file = openSync(path, "wx", wish.mode);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (wish.durable === true) fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}
