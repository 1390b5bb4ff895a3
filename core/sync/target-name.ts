// Target names: what an image is called where it is copied to.

import { posix } from "node:path";
import type { SyncImage } from "./sync-image.ts";

/** How names at the destination are made. */
export interface TargetNaming {
  /** What all of them begin with, in the user's words. */
  readonly destination: string;
  /** Whether the whole of a source's name counts, and not only its last part. */
  readonly scoped: boolean;
  /** Stands behind every name. */
  readonly suffix: string;
}

/** Returns the name at the destination, without its transport. */
export function targetName({ path, to }: SyncImage, naming: TargetNaming): string {
  return posix.join(naming.destination, ownName({ path, to }, naming)) + naming.suffix;
}

/** Returns what follows the destination's own name. */
export function ownName(
  { path, to }: { readonly path: string; readonly to?: string | undefined },
  { scoped }: Pick<TargetNaming, "scoped">,
): string {
  return to ?? (scoped ? path : lastPart(path));
}

/** As the original takes it: of nothing a dot, of slashes one. */
function lastPart(path: string): string {
  if (path === "") return ".";
  return posix.basename(path) === "" ? "/" : posix.basename(path);
}
