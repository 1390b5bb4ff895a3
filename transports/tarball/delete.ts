// Delete: the archives themselves.

import { lstatSync, unlinkSync } from "node:fs";
import { asFailure, Failure } from "../../core/failure.ts";
import { standardInput } from "../shared/read-once.ts";
import { isSystemError } from "../shared/system.ts";

/**
 * Removes files, as the original does: whatever is in them, and without asking.
 *
 * Only regular files are removed, and none at all unless all of them are. The original also removes
 * links and empty directories. Files that are gone already are no failure.
 */
export function deleteFiles(files: readonly string[]): void {
  for (const file of files) {
    if (file === standardInput) throw new Failure("usage", "Standard input cannot be deleted");
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) {
      throw new Failure("refused", `error removing ${JSON.stringify(file)}: not a regular file`);
    }
  }
  for (const file of files) remove(file);
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    const { code, message, hint } = asFailure(error);
    throw new Failure(code, `error removing ${JSON.stringify(file)}: ${message}`, {
      hint,
      cause: error,
    });
  }
}
