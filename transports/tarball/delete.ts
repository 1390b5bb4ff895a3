// Delete: the archives themselves.

import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { asFailure, Failure } from "../../core/failure.ts";
import type { Deletion, Removal } from "../../core/image/deletion.ts";
import { standardInput } from "../shared/read-once.ts";
import { isSystemError } from "../shared/system.ts";

/**
 * Removes files, as the original does: whatever is in them, and without asking.
 *
 * Only regular files are removed, and none at all unless all of them are. The original also removes
 * links and empty directories. Files that are gone already are no failure.
 */
export function deleteFiles(files: readonly string[]): void {
  for (const file of files) checkRemovable(file);
  for (const file of files) remove(file);
}

/** Returns which files `deleteFiles` would remove. */
export function planFiles(files: readonly string[]): Deletion {
  const found = files.flatMap((file): readonly Removal[] => {
    const size = checkRemovable(file)?.size;
    return size === undefined ? [] : [{ kind: "file", name: file, size }];
  });
  return { removals: found, notes: ["the files themselves are removed"] };
}

/** Returns what is there. */
function checkRemovable(file: string): Stats | undefined {
  if (file === standardInput) throw new Failure("usage", "Standard input cannot be deleted");
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found;
  throw new Failure("refused", `error removing ${JSON.stringify(file)}: not a regular file`);
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
