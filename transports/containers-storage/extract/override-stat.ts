// Override stat: how a store whose files all belong to one user keeps the owners and modes they should have.

import type { TarEntry, TarEntryKind } from "../../../core/blob/tar-reader.ts";

/** The attribute that fuse-overlayfs reads. */
export const overrideName = "user.containers.override_stat";

/**
 * Returns what the attribute says for an entry; undefined for symbolic links, which cannot have one, and for
 * hard links, whose file has its own.
 */
export function overrideStat(entry: TarEntry): string | undefined {
  const kind = kindOf(entry);
  if (kind === undefined) return undefined;
  const mode = (entry.mode & 0o7777).toString(8).padStart(4, "0");
  return `${entry.uid}:${entry.gid}:${mode}:${kind}`;
}

const kinds: Readonly<Partial<Record<TarEntryKind, string>>> = {
  file: "file",
  directory: "dir",
  fifo: "pipe",
  "character-device": "char",
  "block-device": "block",
};

function kindOf({ kind, deviceMajor, deviceMinor }: TarEntry): string | undefined {
  const word = kinds[kind];
  const isDevice = kind === "character-device" || kind === "block-device";
  return isDevice ? `${word}-${deviceMajor}-${deviceMinor}` : word;
}
