// Reading the environment: the one place that asks the operating system where it was started.

import type { Environment } from "../core/environment.ts";

/** Returns what the program was started in. */
export function readEnvironment(): Environment {
  const variables = process.env;
  return {
    variables,
    home: variables["HOME"] || homeOfRecord(),
    userId: process.getuid?.() ?? 0,
    os: goSystems[process.platform] ?? process.platform,
    architecture: goArchitectures[process.arch] ?? process.arch,
  };
}

/** Loaded where it is asked: hardly anybody has no HOME. */
function homeOfRecord(): string {
  const os: typeof import("node:os") = require("node:os");
  return os.homedir();
}

/** Go's names for what the runtime calls otherwise, of all that it runs on. */
const goSystems: Readonly<Record<string, string>> = { win32: "windows" };

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64" };
