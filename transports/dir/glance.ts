// The glance: which image a directory holds.

import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import type { Glance } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { manifestDigest } from "../../core/manifest/manifest.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { manifestFile, signatureFileOf, versionFile } from "./files.ts";

/** Returns what a directory holds; undefined if it holds no whole image. */
export async function glance(path: string): Promise<Glance | undefined> {
  const manifest = join(path, manifestFile);
  // The version is written last: without it, something was not finished.
  if (!existsSync(join(path, versionFile))) return undefined;
  if (lstatSync(manifest, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const digest = manifestDigest(await readSmallFile(manifest, limits.manifestBytes));
  return { digest, perhapsSigned: existsSync(join(path, signatureFileOf(undefined, 1))) };
}
