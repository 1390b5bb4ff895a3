// Located files: reading what stands at the places where a configuration file is looked for.

import { extname, join } from "node:path";

import { asFailure, during } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { entriesIfAny, readConfigFile, readConfigFileIfAny } from "./config-file.ts";
import type { Location, Locations } from "./locations.ts";

/** A file that was found. */
export interface LocatedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the file at `location`, or returns undefined if there is none at any of the default places.
 *
 * Fails with `config` if a file cannot be read: whatever is wrong with it, the next one might allow more.
 */
export async function readLocated(location: Location): Promise<LocatedFile | undefined> {
  if (location.kind === "named") return readFile(location.path);
  for (const path of location.paths) {
    const bytes = await readConfigFileIfAny(path);
    if (bytes !== undefined) return { path, bytes };
  }
  return undefined;
}

/**
 * Reads all files of one configuration, in the order in which they count: the main file, what adds to it
 * by the names of the files, and the override. Fails as `readLocated` does, naming `step` and the file.
 */
export async function* readAllLocated(
  { main, dropIns, override }: Locations,
  step: string,
): AsyncGenerator<LocatedFile> {
  const read = (path: string) => during(`${step} ${quoted(path)}`, () => readFile(path));
  const found = main.kind === "named" ? await read(main.path) : await readLocated(main);
  if (found !== undefined) yield found;
  for (const path of dropInFiles(dropIns)) yield read(path);
  if (override !== undefined) yield read(override);
}

async function readFile(path: string): Promise<LocatedFile> {
  return { path, bytes: await readConfigFile(path) };
}

/** Of files that share a name, the one in the most important directory counts. */
function dropInFiles(directories: readonly string[]): readonly string[] {
  const paths = new Map<string, string>();
  for (const directory of directories) {
    // Such as `.conf` of `registries.conf.d`, or of `registries.rootless.conf.d/1000`.
    const extension = /(\.[^./]+)\.d(?:\/\d+)?$/.exec(directory)?.[1] ?? "";
    for (const name of filesIn(directory)) {
      if (extname(name) === extension && !paths.has(name)) paths.set(name, join(directory, name));
    }
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** As the original: no links. */
function filesIn(directory: string): readonly string[] {
  try {
    const entries = entriesIfAny(directory) ?? [];
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  } catch (error) {
    throw asFailure(error);
  }
}
