// Source: reading an image from an OCI layout.

import { existsSync, lstatSync } from "node:fs";
import type { ImageSource } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { fileStream, readSmallFile } from "../shared/file-stream.ts";
import { Layout } from "./layout.ts";
import { type LayoutFiles, LayoutSource } from "./layout-source.ts";
import type { OciName } from "./name.ts";

/** Opens a layout for reading. Fails with `not-found` if it has no image of that name. */
export async function openSource(name: OciName, context: TransportContext): Promise<ImageSource> {
  const layout = new Layout(name.path, context);
  const files = {
    index: await layout.readIndex(),
    readManifest: (digest) => readSmallFile(layout.blobPath(digest), limits.manifestBytes),
    smallBlobs: (limitBytes) =>
      layout.blobDigests().filter((digest) => {
        const found = lstatSync(layout.blobPath(digest), { throwIfNoEntry: false });
        return found?.isFile() === true && found.size <= limitBytes;
      }),
    hasBlob: (digest) => existsSync(layout.blobPath(digest)),
    openBlob: (digest, ...signals) =>
      fileStream(layout.blobPath(digest), context.signal, ...signals),
    placeOf: (digest) => layout.blobPath(digest),
    [Symbol.asyncDispose]: async () => {},
  } satisfies LayoutFiles;
  return new LayoutSource(name, files, name.wanted);
}
