// Workspace: a directory of a test's own.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Where files are kept in memory, if the machine has such a place: for tests that bring all of a file system to
 * the disk, which would take along what everybody else has written.
 */
export const memoryDirectory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A new, empty directory, which vanishes with all that is in it on dispose. */
export class Workspace implements Disposable {
  readonly path: string;

  /** Made below `parent`, which is the machine's directory for temporary files if absent. */
  constructor(parent: string = tmpdir()) {
    this.path = mkdtempSync(join(parent, "dray-test-"));
  }

  /** Returns a path in the workspace. */
  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
