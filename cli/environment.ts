// Reading the environment: the one place that asks the operating system where it was started.

import { homedir } from "node:os";

import type { Environment } from "../core/environment.ts";

/** Returns what the program was started in. */
export function readEnvironment(): Environment {
  const variables = process.env;
  return {
    variables,
    home: variables["HOME"] || homedir(),
    userId: process.getuid?.() ?? 0,
    os: goSystems[process.platform] ?? process.platform,
    architecture: goArchitectures[process.arch] ?? process.arch,
  };
}

const goSystems: Readonly<Record<string, string>> = { win32: "windows" };

const goArchitectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  ppc64: "ppc64le",
};
