// Repositories of ostree, empty ones, made without ostree.

import { mkdirSync, writeFileSync } from "node:fs";
import type { Workspace } from "./workspace.ts";

/** Makes a repository of a mode, and returns its path. */
export function emptyRepository(
  workspace: Pick<Workspace, "at">,
  mode = "archive",
  name = "repo",
): string {
  for (const each of ["objects", "tmp", "refs/heads"]) {
    mkdirSync(workspace.at(name, each), { recursive: true });
  }
  writeFileSync(workspace.at(name, "config"), `[core]\nrepo_version=1\nmode=${mode}\n`);
  return workspace.at(name);
}
