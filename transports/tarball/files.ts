// Files: the archives that a name stands for.

import { accessSync, constants } from "node:fs";
import { asFailure, Failure } from "../../core/failure.ts";
import { standardInput } from "../shared/read-once.ts";

/**
 * Parses the names of archives, parted by colons.
 *
 * Each has to be there: fails with `io`, in the original's words, if one cannot be opened, and with
 * `usage` if standard input is wanted twice.
 */
export function parseFiles(text: string): readonly string[] {
  const files = text.split(":");
  if (files.filter((file) => file === standardInput).length > 1) {
    throw new Failure("usage", "Standard input can be read only once");
  }
  for (const file of files) {
    if (file === standardInput) continue;
    try {
      checkOpens(file);
    } catch (error) {
      const { code, message, hint } = asFailure(error);
      throw new Failure(code, `error opening ${JSON.stringify(file)}: ${message}`, {
        hint,
        cause: error,
      });
    }
  }
  return files;
}

/** Does not open it: a pipe would be over as soon as we hang up. */
function checkOpens(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { syscall: "open", path: file }) : error;
  }
}
