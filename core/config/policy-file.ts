// The policy file: finding and reading policy.json.

import { during } from "../failure.ts";
import { readLocated } from "./located-file.ts";
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
  const found = await readLocated(location);
  if (found === undefined) return undefined;
  const { path: file, bytes } = found;
  return {
    policy: await during(`invalid policy in ${JSON.stringify(file)}`, () => parse(bytes)),
    file,
  };
}

/** Says that there is no policy file, and where it was looked for. */
export function noPolicyFile(location: Location): string {
  const paths = location.kind === "named" ? [location.path] : location.paths;
  const searched = paths.map((path) => JSON.stringify(path)).join(" ");
  return `no policy.json file found; searched paths: [${searched}]`;
}
