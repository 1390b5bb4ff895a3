// Locations: where configuration files are looked for.

import { join } from "node:path";

import type { Environment } from "../environment.ts";

/** A configuration file of which exactly one is read. */
export interface ConfigFile {
  readonly name: string;
  /** The environment variable that names one; it counts unless it is empty. */
  readonly variable: string;
}

/** What may be carried. */
export const policyFile: ConfigFile = { name: "policy.json", variable: "CONTAINERS_POLICY_JSON" };

/** Where to read a file: at the one path that somebody named, or at the first of these that exists. */
export type Location =
  | { readonly kind: "named"; readonly path: string }
  | { readonly kind: "default"; readonly paths: readonly string[] };

/** Returns where to read `file`. An empty `explicit` path counts as none. */
export function locate(file: ConfigFile, environment: Environment, explicit = ""): Location {
  const path = explicit || environment.variables[file.variable] || "";
  if (path !== "") return { kind: "named", path };
  const user = userDirectory(environment);
  const directories = [...(user === undefined ? [] : [user]), ...systemDirectories];
  return { kind: "default", paths: directories.map((directory) => join(directory, file.name)) };
}

/** Most important first. */
const systemDirectories = ["/etc/containers", "/usr/share/containers"];

/** Returns the directory of the user's own configuration, or undefined if the user has no home. */
export function userDirectory({ variables, home }: Environment): string | undefined {
  // Where the variable is set but empty, the original reads `containers/` in the current directory,
  // which may be anybody's; the XDG specification takes it as unset.
  const configHome = variables["XDG_CONFIG_HOME"] || (home === "" ? "" : join(home, ".config"));
  return configHome === "" ? undefined : join(configHome, "containers");
}
