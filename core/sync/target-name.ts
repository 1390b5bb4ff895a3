// Target names: what an image is called where it is copied to.

import { posix } from "node:path";
import { Failure } from "../failure.ts";
import type { Rename } from "./rename.ts";
import type { SyncImage } from "./sync-image.ts";

/** How names at the destination are made. */
export interface TargetNaming {
  /** Whether all images are in one layout, and names stand behind its own; else they are paths below it. */
  readonly inLayout: boolean;
  /** What all of them begin with, in the user's words. */
  readonly destination: string;
  /** Whether the whole of a source's name counts, and not only its last part. */
  readonly scoped: boolean;
  /** Stands behind every name. */
  readonly suffix: string;
  /** Changes names; absent: they stay. */
  readonly rename?: Rename | undefined;
}

/**
 * Returns the name at the destination, without its transport. Fails with `refused` if that would lead out
 * of the destination.
 */
export function targetName(image: NamedImage, naming: TargetNaming): string {
  const own = ownName(image, naming);
  // Files and locks come from others, and rules may have been meant otherwise.
  const inside = posix.join("/destination", own);
  if (inside !== "/destination" && !inside.startsWith("/destination/")) {
    throw new Failure("refused", `${JSON.stringify(own)} would be outside of the destination`);
  }
  if (!naming.inLayout) return posix.join(naming.destination, own);
  return `${naming.destination}:${posix.normalize(own).replace(/^\/+/, "")}`;
}

/** What a name is made of. */
export type NamedImage = Pick<SyncImage, "path" | "below" | "to">;

/**
 * Returns what follows the destination's own name. Where names are changed, that begins with all of a
 * name but the registry's, so that there is something to change.
 */
export function ownName(
  { path, below, to }: NamedImage,
  { scoped, suffix, rename }: Omit<TargetNaming, "destination" | "inLayout">,
): string {
  if (to !== undefined) return to + suffix;
  if (rename === undefined) return (scoped ? path : lastPart(path)) + suffix;
  return rename(scoped ? path : below) + suffix;
}

/** As the original takes it: of nothing a dot, of slashes one. */
function lastPart(path: string): string {
  if (path === "") return ".";
  return posix.basename(path) === "" ? "/" : posix.basename(path);
}
