// Placed blobs: files that other images of the same run have, too.

import { constants, copyFileSync, linkSync, lstatSync } from "node:fs";
import { asFailure } from "../../core/failure.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import type { PlacedBlobs } from "../../core/image/transport.ts";
import { isSystemError } from "../shared/system.ts";

/**
 * Makes a file one with that of another image, or a copy of it where files cannot be linked. Returns its
 * size; undefined if there is no other.
 */
export function linkPlaced(
  { digest, size }: Descriptor,
  path: string,
  placed: PlacedBlobs,
): number | undefined {
  for (const other of placed.get(digest) ?? []) {
    const found = lstatSync(other, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile() || found.size !== (size ?? found.size)) continue;
    try {
      linkOrCopy(other, path);
      return found.size;
    } catch (error) {
      // Its image was moved to its place just now.
      if (!isSystemError(error, "ENOENT")) throw asFailure(error);
    }
  }
  return undefined;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (isSystemError(error, "ENOENT") || isSystemError(error, "EEXIST")) throw error;
    // Another file system, one without links, or one link too many.
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
