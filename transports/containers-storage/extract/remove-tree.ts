// Removing trees: whatever a name in an open directory stands for, with all that is below it.

import { constants, readdirSync, renameSync } from "node:fs";
import { constants as system } from "node:os";
import { cString } from "../../shared/contained-tree.ts";
import { systemError } from "../../shared/libc/library.ts";
import type { NameIn, TreeCalls } from "../../shared/libc/tree-calls.ts";

/** So many directories are open at a time. Programs may have a thousand files open, and others have some. */
const mostLevels = 64;

/**
 * Removes what stands at a place, and never what a link leads to. Does nothing if there is nothing. Fails
 * as node:fs does, naming `shown`.
 *
 * A layer's directories may be deeper than any path, and than as many files as may be open.
 */
export function removeTree(calls: TreeCalls, place: NameIn, shown: string): void {
  remove(calls, place, { shown, level: 0 });
}

/** Where a removal stands. */
interface Level {
  readonly shown: string;
  readonly level: number;
  /** The directory that all is in; absent above it. */
  readonly top?: number;
}

function remove(calls: TreeCalls, { directory, name }: NameIn, { shown, level, top }: Level): void {
  const removed = calls.removeFile(directory, name);
  if (removed === 0 || removed === -system.errno.ENOENT) return;
  if (removed === -system.errno.EISDIR && top !== undefined && level > mostLevels) {
    // From there, it is removed after all the others.
    const above = { directory: top, name: cString(crypto.randomUUID()) };
    renameSync(withoutEnd(pathOf({ directory, name })), withoutEnd(pathOf(above)));
    return;
  }
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const opened = removed === -system.errno.EISDIR ? calls.open(directory, name, flags, 0) : removed;
  if (opened < 0) throw systemError(-opened, "unlink", shown);
  try {
    do {
      for (const each of namesIn(opened)) {
        const below = { shown: `${shown}/${each}`, level: level + 1, top: top ?? opened };
        remove(calls, { directory: opened, name: cString(each) }, below);
      }
    } while (top === undefined && namesIn(opened).length > 0);
  } finally {
    calls.close(opened);
  }
  const emptied = calls.removeDirectory(directory, name);
  if (emptied < 0) throw systemError(-emptied, "rmdir", shown);
}

/** As node:fs takes paths. */
function withoutEnd(path: Uint8Array): Buffer {
  return Buffer.from(path.subarray(0, -1));
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
