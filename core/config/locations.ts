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

/** How registries are reached. */
export const registriesFile: ConfigFile = {
  name: "registries.conf",
  variable: "CONTAINERS_REGISTRIES_CONF",
};

/** Where images are kept that engines share. */
export const storageFile: ConfigFile = {
  name: "storage.conf",
  variable: "CONTAINERS_STORAGE_CONF",
};

/** Where to read a file: at the one path that somebody named, or at the first of these that exists. */
export type Location =
  | { readonly kind: "named"; readonly path: string }
  | { readonly kind: "default"; readonly paths: readonly string[] };

/** Where to read a file, and the files that add to it or take the place of parts of it. */
export interface Locations {
  readonly main: Location;
  /** Directories of further files, most important first: of files of one name, only the first counts. */
  readonly dropIns: readonly string[];
  /** Read last of all, and has to exist; absent if nobody named one. */
  readonly override?: string;
}

/** Returns where to read `file`. An empty `explicit` path counts as none. */
export function locate(file: ConfigFile, environment: Environment, explicit = ""): Location {
  const path = explicit || environment.variables[file.variable] || "";
  if (path !== "") return { kind: "named", path };
  const paths = directoriesFor(environment).map((directory) => join(directory, file.name));
  return { kind: "default", paths };
}

/**
 * Returns where to read `file` and what adds to it. An empty `explicit` path counts as none.
 *
 * Whoever names a file by the environment gets that one without additions.
 */
export function locateAll(file: ConfigFile, environment: Environment, explicit = ""): Locations {
  const { variables } = environment;
  const alone = explicit === "" && (variables[file.variable] ?? "") !== "";
  const override = variables[`${file.variable}_OVERRIDE`] ?? "";
  return {
    main: locate(file, environment, explicit),
    dropIns: alone ? [] : dropInsOf(file, environment),
    ...(override !== "" && { override }),
  };
}

function dropInsOf({ name }: ConfigFile, environment: Environment): readonly string[] {
  const { userId } = environment;
  const dot = name.lastIndexOf(".");
  const named = (kind: string) => `${name.slice(0, dot)}.${kind}${name.slice(dot)}.d`;
  const rootless = named("rootless");
  const own = userId === 0 ? [named("rootful")] : [rootless, join(rootless, String(userId))];
  const user = userDirectory(environment);
  return [
    ...(user === undefined ? [] : [join(user, `${name}.d`)]),
    ...systemDirectories.flatMap((directory) =>
      [`${name}.d`, ...own].map((each) => join(directory, each)),
    ),
  ];
}

/** Most important first. */
const systemDirectories = ["/etc/containers", "/usr/share/containers"];

function directoriesFor(environment: Environment): readonly string[] {
  const user = userDirectory(environment);
  return [...(user === undefined ? [] : [user]), ...systemDirectories];
}

/** Returns the directory of the user's own configuration, or undefined if the user has no home. */
export function userDirectory({ variables, home }: Environment): string | undefined {
  // Where the variable is set but empty, the original reads `containers/` in the current directory,
  // which may be anybody's; the XDG specification takes it as unset.
  const configHome = variables["XDG_CONFIG_HOME"] || (home === "" ? "" : join(home, ".config"));
  return configHome === "" ? undefined : join(configHome, "containers");
}
