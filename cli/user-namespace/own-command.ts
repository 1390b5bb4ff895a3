// Our own command: how to run this program once more, with the same words.

import { realpathSync } from "node:fs";

/**
 * Returns the program and its words. It is the very file that runs, by the name it was called by where that
 * is a name of it.
 */
export function ownCommand(words: readonly string[]): readonly string[] {
  const { argv0, argv, execPath } = process;
  const [, script = ""] = argv;
  // Not in an executable: the runtime runs a file.
  if (!script.startsWith("/$bunfs/")) return [execPath, script, ...words];
  const called = argv0.includes("/") ? argv0 : (Bun.which(argv0) ?? "");
  return [leadsTo(called, execPath) ? called : execPath, ...words];
}

function leadsTo(path: string, program: string): boolean {
  try {
    return realpathSync(path) === program;
  } catch {
    return false;
  }
}
