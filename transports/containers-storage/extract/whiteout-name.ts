// Whiteout names: how a layer says what it hides of the layers below.

import { cleanPath } from "../../../core/blob/tar-split.ts";

/** What every whiteout begins with. */
export const whiteoutPrefix = ".wh.";

/** What is not for a file, but for the engine; older engines left more of the kind. */
export const whiteoutOfEngine = ".wh..wh.";

/** The whiteout for everything that a directory has below. */
export const opaqueName = ".wh..wh..opq";

/** Tells whether the last part of an entry's name is that of a whiteout. */
export function isWhiteout(name: Uint8Array): boolean {
  return baseOf(cleanPath(name)).startsWith(whiteoutPrefix);
}

/** Returns the last part of a clean path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
