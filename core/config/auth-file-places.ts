// Places of auth files: where credentials are read from, and where they are written to.

import { join } from "node:path";

import type { Environment } from "../environment.ts";

/** How an auth file is written down. */
export type AuthFileFormat =
  | "containers" // Entries stand in `auths`; this is the program's own.
  | "docker" // The same, in a file that belongs to Docker.
  | "legacy"; // Docker's format of old: entries, and nothing around them.

/** A file that may hold credentials. */
export interface AuthFilePlace {
  readonly path: string;
  readonly format: AuthFileFormat;
}

/** Which auth files count: the one that was named, or those at the usual places. */
export type AuthFileChoice = AuthFilePlace | "usual";

/**
 * Returns which files count for reading images: what the flag says and, where it is absent, the
 * environment. An empty path is the same as none.
 */
export function authFileChoice(
  flag: string | undefined,
  { variables }: Environment,
): AuthFileChoice {
  const path = flag ?? variables["REGISTRY_AUTH_FILE"] ?? "";
  return path === "" ? "usual" : { path, format: "containers" };
}

/** Returns the files to look into, most important first. They need not exist. */
export function authFilePlaces(
  choice: AuthFileChoice,
  environment: Environment,
): readonly AuthFilePlace[] {
  if (choice !== "usual") return [choice];
  const { variables, home } = environment;
  const configHome = variables["XDG_CONFIG_HOME"] || inHome(home, ".config");
  const dockerHome = variables["DOCKER_CONFIG"] || inHome(home, ".docker");
  const places: readonly (readonly [string, string, AuthFileFormat])[] = [
    [sessionDirectory(environment), "auth.json", "containers"],
    [configHome, "containers/auth.json", "containers"],
    [dockerHome, "config.json", "docker"],
    [home, ".dockercfg", "legacy"],
  ];
  const found = places
    .filter(([directory]) => directory !== "")
    .map(([directory, name, format]) => ({ path: join(directory, name), format }));
  // Without a run directory the first two are one.
  return found.filter(({ path }, index) => found.findIndex((one) => one.path === path) === index);
}

/** Returns the file that credentials are written to. */
export function ownAuthFile(choice: AuthFileChoice, environment: Environment): AuthFilePlace {
  if (choice !== "usual") return choice;
  return { path: join(sessionDirectory(environment), "auth.json"), format: "containers" };
}

/**
 * Returns the directory whose absence is worth a word: `$XDG_RUNTIME_DIR`, if it is where credentials
 * would be kept.
 */
export function namedRuntimeDirectory(
  choice: AuthFileChoice,
  { variables, os }: Environment,
): string | undefined {
  return (choice === "usual" && !isDesktop(os) && variables["XDG_RUNTIME_DIR"]) || undefined;
}

/** Where the system has directories that last as long as the user's session, credentials do, too. */
function sessionDirectory({ variables, home, userId, os }: Environment): string {
  if (isDesktop(os)) return join(home, ".config/containers");
  const named = variables["XDG_RUNTIME_DIR"] || undefined;
  return named === undefined ? `/run/containers/${userId}` : join(named, "containers");
}

function isDesktop(os: string): boolean {
  return os === "windows" || os === "darwin";
}

function inHome(home: string, name: string): string {
  return home === "" ? "" : join(home, name);
}
