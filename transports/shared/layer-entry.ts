// Layer entries: what an entry of a layer has to be, and has besides what all archives know.

import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { TarEntry } from "../../core/blob/tar-reader.ts";

/**
 * Fails with `unsupported` for entries that engines refuse, or take and can never give back, and with `corrupt` for
 * owners that cannot be.
 */
export function checkLayerEntry({ typeFlag, sparse, name, uid, gid }: TarEntry): void {
  if (!kinds.includes(typeFlag)) {
    // The words are those of the original.
    const code = typeFlag.charCodeAt(0);
    throw new Failure("unsupported", `unhandled tar header type ${code}: ${quoted(name)}`);
  }
  if (sparse) {
    throw new Failure("unsupported", `Layer has a file whose holes are left out: ${quoted(name)}`);
  }
  for (const id of [uid, gid]) {
    if (id >= 0 && id <= largestId) continue;
    throw new Failure("corrupt", `Layer has the impossible owner ${id} of ${quoted(name)}`);
  }
}

/** Types of entries: files, links, devices, directories and pipes. */
const kinds = "\x000123456";

const largestId = 2 ** 32 - 1;

/**
 * Returns the extended attributes of an entry, without the label: that is this machine's to give. Names are
 * text.
 */
export function entryXattrs({ records }: TarEntry): readonly (readonly [string, Uint8Array])[] {
  const found: (readonly [string, Uint8Array])[] = [];
  for (const [key, value] of records) {
    const name = key.startsWith(xattrKey) ? key.slice(xattrKey.length) : "security.selinux";
    if (name !== "security.selinux") found.push([name, value]);
  }
  return found;
}

const xattrKey = "SCHILY.xattr.";
