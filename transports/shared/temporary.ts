// Temporary things: how files and directories are called until they are finished.

import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { asFailure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { attempt } from "./system.ts";

const temporaryName = /^\.dray-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns a path in `directory` that nobody can guess, for what is not finished yet. */
export function temporaryPath(directory: string): string {
  return join(directory, `.dray-${crypto.randomUUID()}`);
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
