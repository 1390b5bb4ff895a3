// Small disk: a file system that is soon full.

import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A mounted file system of its own, which vanishes on dispose. Only root can have one. */
export class SmallDisk implements Disposable {
  readonly path: string;

  constructor(sizeBytes: number) {
    this.path = mkdtempSync(join(tmpdir(), "dray-disk-"));
    run("mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", this.path);
  }

  /** Returns a path on the disk. */
  at(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    run("umount", this.path);
    rmdirSync(this.path);
  }
}

function run(...command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
