// TagFilter: which of the tags that were found are wanted.

import { inContext } from "../failure.ts";
import { parseGoRegexp } from "./go-regexp.ts";
import { compareVersions, parseConstraint, parseVersion, type Version } from "./semver.ts";
import type { TagFilter } from "./sync-file.ts";

/** Returns the wanted ones of some tags, in their order. */
export type TagChoice = (tags: readonly string[]) => readonly string[];

/**
 * Returns the choice that a filter makes. Fails with `usage` on a pattern or constraint that is none.
 *
 * Of versions only releases count as newest, unless the filter's constraint speaks of pre-releases.
 */
export function tagChoice(filter: TagFilter): TagChoice {
  const include = filter.include.map((pattern) => readPattern("include", pattern));
  const exclude = filter.exclude.map((pattern) => readPattern("exclude", pattern));
  const { semver, newest } = filter;
  const allowed = semver === undefined ? undefined : parseConstraint(semver);
  return (tags) => {
    const chosen = tags.filter(
      (tag) =>
        (include.length === 0 || include.some((pattern) => pattern.test(tag))) &&
        !exclude.some((pattern) => pattern.test(tag)),
    );
    const versions = new Map(chosen.map((tag) => [tag, parseVersion(tag)] as const));
    const fitting = (tag: string) => {
      const version = versions.get(tag);
      return allowed === undefined || (version !== undefined && allowed(version));
    };
    const left = chosen.filter(fitting);
    if (newest === undefined) return left;
    const dated = left.flatMap((tag) => {
      const version = versions.get(tag);
      if (version === undefined) return [];
      return version.prerelease === "" || allowed !== undefined ? [{ tag, version }] : [];
    });
    const kept = new Set(
      dated
        .toSorted(newestFirst)
        .slice(0, newest)
        .map(({ tag }) => tag),
    );
    return left.filter((tag) => kept.has(tag));
  };
}

function newestFirst(
  one: { readonly tag: string; readonly version: Version },
  other: { readonly tag: string; readonly version: Version },
): number {
  // Of two spellings of one version the longer says more.
  return compareVersions(other.version, one.version) || other.tag.length - one.tag.length;
}

function readPattern(what: string, pattern: string) {
  try {
    return parseGoRegexp(pattern);
  } catch (error) {
    throw inContext(what, error);
  }
}
