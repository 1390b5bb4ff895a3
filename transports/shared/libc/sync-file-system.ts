// Syncing a whole file system: one call in place of one for each file.

import { constants } from "node:os";
import { openLibrary, systemError } from "./library.ts";

/**
 * Brings everything to the disk that was written to the file system of an open file. Linux only.
 *
 * Fails as the functions of node:fs do, with the system's `code`.
 */
export function syncFileSystem(descriptor: number): void {
  library ??= openSync() ?? "none";
  if (library === "none") throw systemError(constants.errno.ENOSYS, "syncfs");
  if (library.calls.syncfs(descriptor) !== 0) throw systemError(library.errno(), "syncfs");
}

let library: ReturnType<typeof openSync> | "none" | undefined;

function openSync() {
  return openLibrary({ syncfs: { args: ["i32"], returns: "i32" } });
}
