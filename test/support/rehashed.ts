// Rehashed: samples whose parts go by digests of another algorithm.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "./registry-store.ts";
import {
  blobsOf,
  hexOf,
  manifestsOf,
  type Sample,
  type SampleBlob,
  type SampleImage,
  type SampleList,
} from "./sample-images.ts";

/** Returns the same images with SHA-512 everywhere: blobs, manifests and all that names them. */
export function rehashed(sample: SampleImage): SampleImage;
export function rehashed(sample: SampleList): SampleList;
export function rehashed(sample: Sample): Sample {
  if (sample.kind === "image") return rehashedImage(sample);
  const images = sample.images.map(rehashedImage);
  const before = sample.images.map(({ manifest }) => manifest);
  const after = images.map(({ manifest }) => manifest);
  return { kind: "list", images, manifest: renaming(sample.manifest, before, after) };
}

/** Writes an image as the `dir:` transport keeps it. */
export function writeRehashedDirectory(path: string, sample: SampleImage): void {
  mkdirSync(path, { recursive: true });
  for (const { digest, bytes } of blobsOf(sample)) {
    writeFileSync(join(path, `sha512-${hexOf(digest)}`), bytes);
  }
  writeFileSync(join(path, "manifest.json"), sample.manifest.bytes);
  writeFileSync(join(path, "version"), "Directory Transport Version: 1.2\n");
}

/** Puts a sample into the registry in memory, under its digests. */
export function addRehashed(repository: Repository, sample: Sample): void {
  for (const { digest, bytes } of blobsOf(sample)) repository.blobs.set(digest, bytes);
  for (const { digest, bytes, mediaType } of manifestsOf(sample)) {
    repository.manifests.set(digest, { bytes, mediaType });
  }
}

function rehashedImage(sample: SampleImage): SampleImage {
  const layers = sample.layers.map(renamed);
  const config = renamed(sample.config);
  const before = [...sample.layers, sample.config];
  const manifest = renaming(sample.manifest, before, [...layers, config]);
  return { ...sample, layers, config, manifest };
}

function renaming(
  { mediaType, bytes }: SampleBlob,
  before: readonly SampleBlob[],
  after: readonly SampleBlob[],
): SampleBlob {
  let text = new TextDecoder().decode(bytes);
  for (const [index, { digest, bytes: old }] of before.entries()) {
    const now = after[index];
    if (now === undefined) continue;
    text = text.replaceAll(digest, now.digest);
    // Longer digests make longer manifests. No two of a sample are of equal size.
    text = text.replaceAll(`"size": ${old.length},`, `"size": ${now.bytes.length},`);
  }
  return renamed({ mediaType, bytes: new TextEncoder().encode(text), digest: "" });
}

function renamed({ mediaType, bytes }: SampleBlob): SampleBlob {
  const digest = `sha512:${Bun.CryptoHasher.hash("sha512", bytes, "hex")}`;
  return { mediaType, bytes, digest };
}
