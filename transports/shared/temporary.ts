// Temporary things: how files and directories are called until they are finished.

import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Digest } from "../../core/content/digest.ts";
import { asFailure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { attempt } from "./system.ts";

const temporaryName =
  /^\.dray-(?:part-sha(?:256|384|512)-[0-9a-f]{64,128}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns a path in `directory` that nobody can guess, for what is not finished yet. */
export function temporaryPath(directory: string): string {
  return join(directory, `.dray-${crypto.randomUUID()}`);
}

/** Returns such a path for a blob, by which the next run finds it if this one does not come to its end. */
export function partPath(directory: string, digest: Digest): string {
  return join(directory, `${partPrefix(digest)}${crypto.randomUUID()}`);
}

/** Returns the parts of a blob that are in a directory, if that is there. */
export function partsOf(directory: string, digest: Digest): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.startsWith(partPrefix(digest)) && isTemporaryName(name))
    .map((name) => join(directory, name));
}

function partPrefix(digest: Digest): string {
  return `.dray-part-${digest.replace(":", "-")}-`;
}

/** Tells whether `name` is that of something unfinished, ours or of another run of this program. */
export function isTemporaryName(name: string): boolean {
  return temporaryName.test(name);
}

/**
 * Removes what crashed runs left in `directory`.
 *
 * Old is what was not touched for `limits.leftoverMs` before `nowMs`, which is the time of the last
 * change of something that was written there just now: the clock of the file system, not ours.
 */
export function removeLeftovers(directory: string, nowMs: number): void {
  for (const name of readdirSync(directory)) {
    if (!isTemporaryName(name)) continue;
    const path = join(directory, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || nowMs - found.mtimeMs < limits.leftoverMs) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** Makes a directory and the ones above it, and returns those that were not there, deepest first. */
export function makeDirectories(path: string): readonly string[] {
  const deepest = resolve(path);
  const highest = attempt(() => mkdirSync(deepest, { recursive: true, mode: 0o755 }));
  if (highest === undefined) return [];
  const made = [deepest];
  for (let each = deepest; each !== highest && each !== "/"; each = dirname(each)) {
    made.push(dirname(each));
  }
  return made;
}

/** Removes those of the directories that are empty, in the order given. */
export function removeEmptyDirectories(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      rmdirSync(path);
    } catch (error) {
      const failure = asFailure(error);
      // Others put something there, or were faster.
      if (failure.code !== "io") throw failure;
    }
  }
}
