// Trees: what lies in a directory, as data that can be compared.

import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Returns everything below `path` by its name relative to it: a file as its size and digest, a link
 * as what it points to, a directory as such. Empty if there is nothing at `path`.
 */
export function treeOf(path: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const names = readdirIfThere(path).toSorted();
  for (const name of names) found[name] = entryOf(join(path, name));
  return found;
}

function entryOf(path: string): string {
  const status = lstatSync(path);
  if (status.isDirectory()) return "directory";
  if (status.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (!status.isFile()) return "something else";
  return `${status.size} ${Bun.CryptoHasher.hash("sha256", readFileSync(path), "hex")}`;
}

function readdirIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: "utf8" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
