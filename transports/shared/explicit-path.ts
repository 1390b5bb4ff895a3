// Explicit path: where a path leads once it is absolute and every symbolic link in it is followed.

import { lstatSync, readlinkSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { Failure } from "../../core/failure.ts";
import { attempt } from "./system.ts";

/** As many links as Go's resolver follows. */
const mostLinks = 255;

/**
 * Returns the one absolute path of what `path` names, for policies to go by.
 *
 * What does not exist yet is looked for in its parent, which has to exist. Fails with `io`, and names
 * the first component that is missing: `lstat /no: no such file or directory`.
 */
export function explicitPath(path: string): string {
  if (exists(path)) return followed(path);
  const nameAt = path.lastIndexOf("/") + 1;
  const parent = followed(path.slice(0, nameAt));
  const name = path.slice(nameAt);
  if (name === "." || name === "..") {
    throw new Failure("io", `Unexpectedly missing special filename component in ${path}`);
  }
  return join(parent, name);
}

function exists(path: string): boolean {
  return attempt(() => lstatSync(path, { throwIfNoEntry: false })) !== undefined;
}

/** Walks by hand, because the runtime's realpath does not say which component was missing. */
function followed(path: string): string {
  const ahead = components(resolve(path));
  let reached = "/";
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (name === "..") {
      reached = dirname(reached);
      continue;
    }
    const next = join(reached, name);
    const target = linkTarget(next);
    if (target === undefined) {
      reached = next;
      continue;
    }
    if (++links > mostLinks) throw new Failure("io", `lstat ${path}: too many links`);
    if (isAbsolute(target)) reached = "/";
    ahead.unshift(...components(target));
  }
  return reached;
}

function linkTarget(path: string): string | undefined {
  return attempt(() => (lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined));
}

function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
