// Layout archives, made entry by entry, so that a test can make every odd one there is.

import { blobsOf, hexOf, indexOf, manifestsOf, type Sample } from "./sample-images.ts";
import type { TarEntry } from "./tar-bytes.ts";

/** Returns the entries of an archive that holds samples, each under its name, index last. */
export function layoutEntries(samples: Readonly<Record<string, Sample>>): readonly TarEntry[] {
  const text = (path: string, content: string): TarEntry => ({ path, body: Buffer.from(content) });
  const blobs = Object.values(samples).flatMap((each) => [...blobsOf(each), ...manifestsOf(each)]);
  const distinct = new Map(blobs.map((each) => [each.digest, each]));
  return [
    text("oci-layout", '{"imageLayoutVersion":"1.0.0"}'),
    { path: "blobs/", kind: "directory", mode: 0o755 },
    { path: "blobs/sha256/", kind: "directory", mode: 0o755 },
    ...[...distinct.values()].map(({ digest, bytes }) => ({ path: blobPath(digest), body: bytes })),
    text("index.json", indexOf(samples)),
  ];
}

/** Returns the name of a blob in a layout. */
export function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
