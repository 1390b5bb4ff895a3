// Source: reading an image from an archive of a layout, in place.

import { existsSync } from "node:fs";
import type { ByteStream } from "../../../core/blob/stream.ts";
import { type Digest, isDigest } from "../../../core/content/digest.ts";
import { during, Failure } from "../../../core/failure.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { placeOf } from "../../shared/archive-index.ts";
import { standardInput } from "../../shared/read-once.ts";
import { type LayoutFiles, LayoutSource } from "../layout-source.ts";
import { blobFile, LayoutArchive } from "./layout-archive.ts";
import type { OciArchiveName } from "./name.ts";

/** Opens an archive for reading. Fails with `not-found` if it has no image of that name. */
export async function openSource(
  name: OciArchiveName,
  context: TransportContext,
): Promise<ImageSource> {
  const { path } = name;
  if (path !== standardInput && !existsSync(path)) {
    const quoted = JSON.stringify(name.policyIdentity);
    throw new Failure("io", `archive file not found: ${quoted}`);
  }
  const layout = await during(`reading archive ${path}`, () => LayoutArchive.open(path, context));
  try {
    return new LayoutSource(name, filesOf(layout), name.wanted);
  } catch (error) {
    await layout[Symbol.asyncDispose]();
    throw error;
  }
}

function filesOf(layout: LayoutArchive): LayoutFiles {
  const missing = (digest: Digest): Failure =>
    new Failure("corrupt", `There is no ${blobFile(digest)} in archive ${layout.archive.path}`);
  return {
    index: layout.index,
    async readManifest(digest) {
      const bytes = await layout.readManifest(digest);
      if (bytes === undefined) throw missing(digest);
      return bytes;
    },
    smallBlobs: (limitBytes) =>
      layout.archive.entries.flatMap((entry) => {
        const digest = digestIn(placeOf(entry) ?? "");
        return digest !== undefined && entry.size <= limitBytes ? digest : [];
      }),
    hasBlob: (digest) => layout.find(digest) !== undefined,
    openBlob(digest, ...signals): ByteStream {
      const found = layout.find(digest);
      if (found === undefined) throw missing(digest);
      return found.open(...signals);
    },
    placeOf: blobFile,
    [Symbol.asyncDispose]: () => layout[Symbol.asyncDispose](),
  };
}

function digestIn(place: string): Digest | undefined {
  const digest = place.replace(/^blobs\/sha256\//, "sha256:");
  return isDigest(digest) ? digest : undefined;
}
