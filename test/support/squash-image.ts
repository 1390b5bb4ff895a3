// Squash images: SquashFS file systems, made by mksquashfs.

import { readFileSync, rmSync } from "node:fs";
import { Workspace } from "./workspace.ts";

/** The program that makes them; tests that do ask for it with `testWith`. */
export const squashProgram = "mksquashfs";

/** Makes a file system of what `fill` puts into a directory; `flags` are for the program. */
export function squashOf(fill: (at: Workspace["at"]) => void, ...flags: string[]): Uint8Array {
  using workspace = new Workspace();
  using root = new Workspace();
  fill((...names) => root.at(...names));
  const image = workspace.at("image");
  const common = ["-noappend", "-quiet", "-no-progress", "-processors", "1", "-all-root"];
  const { success, stderr } = Bun.spawnSync([squashProgram, root.path, image, ...common, ...flags]);
  if (!success) throw new Error(`${squashProgram}: ${stderr.toString()}`);
  const bytes = readFileSync(image);
  rmSync(image);
  return bytes;
}
