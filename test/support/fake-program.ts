// Fake program: a shell script in a directory of its own, and surroundings in which it is found.

import { mkdirSync, writeFileSync } from "node:fs";
import type { Surroundings } from "../../core/trust/signing-program.ts";
import type { Workspace } from "./workspace.ts";

/** Writes a script, and returns surroundings in which nothing but it and the usual tools are found. */
export function surroundingsWith(
  workspace: Workspace,
  name: string,
  script: string,
  signal = new AbortController().signal,
): Surroundings {
  const directory = workspace.at("bin");
  mkdirSync(directory, { recursive: true });
  writeFileSync(workspace.at("bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    environment: {
      variables: { PATH: `${directory}:/usr/bin:/bin`, HERE: workspace.path },
      home: "/proc/no-home",
      userId: 1000,
      os: "linux",
      architecture: "amd64",
    },
    temporaryDirectory: workspace.path,
    signal,
  };
}
