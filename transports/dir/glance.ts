// The glance: which image a directory holds.

import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isListType } from "../../core/content/media-types.ts";
import type { Glance } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { guessType, manifestDigest } from "../../core/manifest/manifest.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { lackingImages } from "../shared/lacking-images.ts";
import {
  isSignatureFile,
  manifestFile,
  manifestFileOf,
  signatureFileOf,
  versionFile,
} from "./files.ts";

/** Returns what a directory holds; undefined if it holds no whole image. */
export async function glance(path: string): Promise<Glance | undefined> {
  const manifest = join(path, manifestFile);
  // The version is written last: without it, something was not finished.
  if (!existsSync(join(path, versionFile))) return undefined;
  if (lstatSync(manifest, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const bytes = await readSmallFile(manifest, limits.manifestBytes);
  const mediaType = guessType(bytes) ?? "";
  // Those of a list's images may have to travel, too.
  const perhapsSigned = isListType(mediaType)
    ? readdirSync(path).some((name) => isSignatureFile(name))
    : existsSync(join(path, signatureFileOf(undefined, 1)));
  return {
    digest: manifestDigest(bytes),
    perhapsSigned,
    mediaType,
    ...lackingImages({ bytes, mediaType }, (image) =>
      existsSync(join(path, manifestFileOf(image))),
    ),
  };
}
