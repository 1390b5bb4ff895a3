// Path scope: the keys by which policy.json singles out images that are kept under a path.

import { dirname, posix } from "node:path";
import { Failure } from "../../core/failure.ts";

/** How a transport words what is wrong with a scope; scripts may match on either wording. */
export interface PathScopeWords {
  readonly notAbsolute: string;
  /** Followed by the spelling that would have been right. */
  readonly notCanonical: string;
}

/** Fails with `config` unless `scope` is an absolute, clean path other than the root. */
export function checkPathScope(scope: string, words: PathScopeWords): void {
  if (!scope.startsWith("/")) throw invalid(scope, words.notAbsolute);
  // The root would be a second spelling of the transport's default.
  if (scope === "/") throw invalid('"/"', 'Use the generic default scope ""');
  const clean = cleanPath(scope);
  if (scope !== clean) throw invalid(scope, `${words.notCanonical} ${clean}`);
}

/** Returns the directories above an absolute path, nearest first, without the root. */
export function directoriesAbove(path: string): readonly string[] {
  const above: string[] = [];
  for (let directory = dirname(path); directory !== "/"; directory = dirname(directory)) {
    above.push(directory);
  }
  return above;
}

function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function invalid(scope: string, what: string): Failure {
  return new Failure("config", `Invalid scope ${scope}: ${what}`);
}
