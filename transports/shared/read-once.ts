// Read once: which files are over once they were read.

import { statSync } from "node:fs";
import { attempt } from "./system.ts";

/** Stands for standard input where a file is named. */
export const standardInput = "-";

/** Tells whether `path` names standard input, a pipe, or a device. */
export function isReadOnce(path: string): boolean {
  if (path === standardInput) return true;
  const found = attempt(() => statSync(path, { throwIfNoEntry: false }));
  return found !== undefined && !found.isFile() && !found.isDirectory();
}
