// Directory images: finding those that are kept as files below a directory.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { asFailure, Failure } from "../failure.ts";
import { limits } from "../limits.ts";

/**
 * Returns the directories below a path, and the path itself, that hold a `manifest.json`: in the order of
 * their names, and nothing within another. Links are not followed.
 *
 * Fails with `io` if there is no such path.
 */
export function imageDirectories(path: string): readonly string[] {
  try {
    statSync(path);
  } catch (error) {
    const { message, hint } = asFailure(error);
    throw new Failure("io", `Invalid source directory specified: ${message}`, { hint });
  }
  const found: string[] = [];
  search(path, 0, found);
  return found;
}

/** What stands before the manifest in the order of names is looked into, as the original does. */
function search(path: string, depth: number, found: string[]): void {
  if (depth > limits.directoryDepth) {
    throw new Failure("io", `${path} lies deeper than ${limits.directoryDepth} directories`);
  }
  for (const entry of entriesIn(path)) {
    if (entry.isDirectory()) search(join(path, entry.name), depth + 1, found);
    else if (entry.name === "manifest.json") {
      // Cleaned of doubled slashes and dots at the top, too.
      found.push(join(path, "x", ".."));
      return;
    }
  }
}

function entriesIn(path: string) {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.sort((one, other) =>
      Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)),
    );
  } catch (error) {
    throw asFailure(error);
  }
}
