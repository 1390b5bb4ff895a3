// Removing files of a store, whoever made them and whatever they are called.

import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname } from "node:path";
import { cString } from "../shared/contained-tree.ts";
import { treeCalls } from "../shared/libc/tree-calls.ts";
import { attempt, isSystemError } from "../shared/system.ts";
import { removeTree } from "./extract/remove-tree.ts";

/** Removes what stands at a path, with all that is below it, following no link. There may be nothing. */
export function removeAll(path: string): void {
  attempt(() => {
    const directory = openDirectory(dirname(path));
    if (directory === undefined) return;
    try {
      // Names of stores are plain text; those of the files in it need not be.
      removeTree(treeCalls(), { directory, name: cString(basename(path)) }, path);
    } finally {
      closeSync(directory);
    }
  });
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
