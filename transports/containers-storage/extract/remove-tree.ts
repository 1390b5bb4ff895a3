// Removing trees: whatever a name in an open directory stands for, with all that is below it.

import { constants, readdirSync } from "node:fs";
import { constants as system } from "node:os";
import { cString } from "../../shared/contained-tree.ts";
import { systemError } from "../../shared/libc/library.ts";
import type { NameIn, TreeCalls } from "../../shared/libc/tree-calls.ts";

/**
 * Removes what stands at a place, and never what a link leads to. Does nothing if there is nothing. Fails
 * as node:fs does, naming `shown`.
 */
export function removeTree(calls: TreeCalls, { directory, name }: NameIn, shown: string): void {
  const removed = calls.removeFile(directory, name);
  if (removed === 0 || removed === -system.errno.ENOENT) return;
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const opened = removed === -system.errno.EISDIR ? calls.open(directory, name, flags, 0) : removed;
  if (opened < 0) throw systemError(-opened, "unlink", shown);
  try {
    for (const each of namesIn(opened)) {
      removeTree(calls, { directory: opened, name: cString(each) }, `${shown}/${each}`);
    }
  } finally {
    calls.close(opened);
  }
  const emptied = calls.removeDirectory(directory, name);
  if (emptied < 0) throw systemError(-emptied, "rmdir", shown);
}

/** Returns the names in an open directory, one character a byte, as in Latin-1. */
export function namesIn(directory: number): readonly string[] {
  const names = readdirSync(`/proc/self/fd/${directory}`, { encoding: "buffer" });
  return names.map((name) => Buffer.from(name).toString("latin1"));
}

/** Returns a path, ended by a NUL, for calls that know of no directories. It ends with the directory. */
export function pathOf({ directory, name }: NameIn): Uint8Array {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}
