// Source: tar archives as the layers of an image.
//
// A manifest names what it consists of by digest, so each archive is read through when it is opened, and
// once more when it is carried. Only what cannot be read twice is kept in between.

import { statSync } from "node:fs";
import {
  type DetectedCompression,
  decompressed,
  detectCompression,
  magicBytes,
} from "../../core/blob/decompress.ts";
import { peeked } from "../../core/blob/peek.ts";
import type { Stage } from "../../core/blob/stream.ts";
import { Digester } from "../../core/content/digest.ts";
import { layerFamilies } from "../../core/content/media-types.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { ImageName } from "../../core/image/name.ts";
import type { ImageSource } from "../../core/image/source.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { fileStream } from "../shared/file-stream.ts";
import { type ImportedLayer, ImportedSource } from "../shared/imported-image.ts";
import { isReadOnce } from "../shared/read-once.ts";
import { onceStream, Spool } from "../shared/spool.ts";
import { attempt } from "../shared/system.ts";
import { timestamp } from "../shared/timestamp.ts";

/** Reads archives through, and gives them as an image that was made when the newest of them was. */
export async function openSource(
  name: ImageName,
  files: readonly string[],
  context: TransportContext,
): Promise<ImageSource> {
  await using opened = new AsyncDisposableStack();
  const archives: Archive[] = [];
  for (const file of files) archives.push(await openArchive(file, opened, context));
  const newest = archives.reduce(
    (found, { modified }) => (modified > found ? modified : found),
    0n,
  );
  const { os, architecture } = context.settings.tarball;
  const created = timestamp(newest);
  const layers = archives.map(({ layer }) => layer);
  return new ImportedSource(name, { created, os, architecture, layers }, opened.move());
}

/** One archive, read through. */
interface Archive {
  readonly layer: ImportedLayer;
  /** In nanoseconds since 1970. */
  readonly modified: bigint;
}

async function openArchive(
  file: string,
  opened: AsyncDisposableStack,
  context: TransportContext,
): Promise<Archive> {
  const { signal, temporaryDirectory } = context;
  let path = file;
  if (isReadOnce(file)) {
    const spool = await Spool.keep(onceStream(file, signal), temporaryDirectory);
    ({ path } = opened.use(spool));
  }
  // What was kept just now is as old as the original takes standard input to be.
  const modified = attempt(() => statSync(path, { bigint: true }).mtimeNs);
  try {
    return { layer: await readLayer(path, modified, signal), modified };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What the system says names the file itself. */
function unreadable(file: string, error: unknown): Failure {
  const { code, message, hint } = asFailure(error);
  if (code !== "corrupt" && code !== "unsupported") return asFailure(error);
  return new Failure(code, `error reading ${JSON.stringify(file)}: ${message}`, {
    hint: code === "unsupported" ? "decompress it, and pipe it into tarball:-" : hint,
    cause: error,
  });
}

async function readLayer(
  path: string,
  modified: bigint,
  signal: AbortSignal,
): Promise<ImportedLayer> {
  const open = (...signals: readonly AbortSignal[]) => fileStream(path, signal, ...signals);
  await using start = await peeked(open, magicBytes);
  const compression = detectCompression(start.start);
  const stored = new Digester();
  const plain = new Digester();
  let size = 0;
  const counted: Stage = async function* (bytes) {
    for await (const chunk of bytes) {
      stored.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of decompressed(compression)(counted(start.open()))) plain.update(chunk);
  return {
    descriptor: { mediaType: mediaTypeOf(compression), digest: stored.digest(), size },
    diffId: plain.digest(),
    created: timestamp(modified),
    comment: "imported from tarball",
    open,
  };
}

/** OCI has no types for some compressions; the original calls them gzip, and readers look for themselves. */
function mediaTypeOf(compression: DetectedCompression): string {
  const { none, gzip, zstd } = layerFamilies.oci;
  if (compression === "none") return none;
  return compression === "zstd" ? zstd : gzip;
}
