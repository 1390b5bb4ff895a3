// TagFilter: which of the tags that were found are wanted.

import { inContext } from "../failure.ts";
import { parseGoRegexp } from "./go-regexp.ts";
import { compareVersions, parseConstraint, parseVersion, type Version } from "./semver.ts";
import type { TagFilter } from "./sync-file.ts";

/** Returns the wanted ones of some tags, in their order. */
export type TagChoice = (tags: readonly string[]) => readonly string[];

/**
 * Returns the choice that filters make together: what is newest is looked for among what all of them take.
 * Fails with `usage` on a pattern or constraint that is none.
 *
 * Of versions only releases count as newest, unless a constraint speaks of versions at all.
 */
export function tagChoice(...filters: readonly TagFilter[]): TagChoice {
  const tests = filters.map(testOf);
  const ranged = filters.some(({ semver }) => semver !== undefined);
  const counts = filters.flatMap(({ newest }) => newest ?? []);
  return (tags) => {
    const left = tags.filter((tag) => tests.every((test) => test(tag)));
    return counts.length === 0 ? left : newestOf(left, Math.min(...counts), ranged);
  };
}

function testOf(filter: TagFilter): (tag: string) => boolean {
  const include = filter.include.map((pattern) => readPattern("include", pattern));
  const exclude = filter.exclude.map((pattern) => readPattern("exclude", pattern));
  const allowed = filter.semver === undefined ? undefined : parseConstraint(filter.semver);
  return (tag) => {
    if (include.length > 0 && !include.some((pattern) => pattern.test(tag))) return false;
    if (exclude.some((pattern) => pattern.test(tag))) return false;
    const version = allowed && parseVersion(tag);
    return allowed === undefined || (version !== undefined && allowed(version));
  };
}

function newestOf(tags: readonly string[], count: number, ranged: boolean): readonly string[] {
  const dated = tags.flatMap((tag) => {
    const version = parseVersion(tag);
    if (version === undefined) return [];
    return version.prerelease === "" || ranged ? [{ tag, version }] : [];
  });
  const kept = new Set(
    dated
      .toSorted(newestFirst)
      .slice(0, count)
      .map(({ tag }) => tag),
  );
  return tags.filter((tag) => kept.has(tag));
}

/** Returns the images that a choice takes; those without a tag are not asked about. */
export function chosenImages<I extends { readonly path: string; readonly tag?: string }>(
  images: readonly I[],
  choice: TagChoice,
): readonly I[] {
  const repositoryOf = ({ path, tag = "" }: I) => path.slice(0, path.length - tag.length);
  const tags = new Map<string, string[]>();
  for (const image of images) {
    if (image.tag === undefined) continue;
    const repository = repositoryOf(image);
    const beside = tags.get(repository);
    if (beside === undefined) tags.set(repository, [image.tag]);
    else beside.push(image.tag);
  }
  const kept = new Map(Array.from(tags, ([name, all]) => [name, new Set(choice(all))] as const));
  return images.filter((image) => {
    const { tag } = image;
    return tag === undefined || kept.get(repositoryOf(image))?.has(tag) === true;
  });
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
