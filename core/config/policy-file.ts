// The policy file: finding and reading policy.json.

import { during } from "../failure.ts";
import { isMissing, readConfigFile } from "./config-file.ts";
import type { Location } from "./locations.ts";

/** A policy and the file it was read from. */
export interface PolicyFile<P> {
  readonly policy: P;
  readonly file: string;
}

/**
 * Reads the policy, as `parse` understands it, or returns undefined if there is no file at any of the
 * default places.
 *
 * Fails with `config` if the file cannot be read or parsed, and if a file that was named does not exist.
 */
export async function readPolicyFile<P>(
  location: Location,
  parse: (bytes: Uint8Array) => P,
): Promise<PolicyFile<P> | undefined> {
  const found = await firstOf(location);
  if (found === undefined) return undefined;
  const { file, bytes } = found;
  return {
    policy: await during(`invalid policy in ${JSON.stringify(file)}`, () => parse(bytes)),
    file,
  };
}

interface FoundFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Whatever else is wrong with a file, it is not skipped: the next one might allow more. */
async function firstOf(location: Location): Promise<FoundFile | undefined> {
  if (location.kind === "named") {
    return { file: location.path, bytes: await readConfigFile(location.path) };
  }
  for (const file of location.paths) {
    try {
      return { file, bytes: await readConfigFile(file) };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return undefined;
}

/** Says that there is no policy file, and where it was looked for. */
export function noPolicyFile(location: Location): string {
  const paths = location.kind === "named" ? [location.path] : location.paths;
  const searched = paths.map((path) => JSON.stringify(path)).join(" ");
  return `no policy.json file found; searched paths: [${searched}]`;
}
