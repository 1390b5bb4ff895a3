// Push: puts a sample into a registry by its HTTP interface, without the program under test.

import type { Repository } from "./registry-store.ts";
import { type Sample, type SampleBlob, blobsOf, manifestsOf } from "./sample-images.ts";

/** Where a sample goes. */
export interface PushTarget {
  /** Such as `http://127.0.0.1:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** Uploads a sample, its manifests last. */
export async function pushSample(target: PushTarget, sample: Sample): Promise<void> {
  await Promise.all(blobsOf(sample).map((blob) => pushBlob(target, blob)));
  for (const manifest of manifestsOf(sample)) {
    const top = manifest === sample.manifest;
    await pushManifest(target, manifest, top ? target.tag : manifest.digest);
  }
}

/** Puts a sample into a repository of the registry in memory, without asking that registry. */
export function addSample(repository: Repository, tag: string, sample: Sample): void {
  for (const { bytes } of blobsOf(sample)) repository.addBlob(bytes);
  for (const manifest of manifestsOf(sample)) {
    const name = manifest === sample.manifest ? tag : undefined;
    repository.addManifest(manifest.bytes, manifest.mediaType, name);
  }
}

/** Uploads one blob in a single piece; `body` stands in for bytes that are not held in memory. */
export async function pushBlob(
  { registry, repository }: Pick<PushTarget, "registry" | "repository">,
  { digest, bytes }: Pick<SampleBlob, "digest" | "bytes">,
  body: Bun.BodyInit = Buffer.from(bytes),
): Promise<void> {
  const session = await fetch(`${registry}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(session.headers.get("location") ?? "", registry);
  location.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  await expectCreated(await fetch(location, { method: "PUT", body, headers }));
}

/** Puts one manifest under a tag or its digest. */
export async function pushManifest(
  { registry, repository }: Pick<PushTarget, "registry" | "repository">,
  { bytes, mediaType }: SampleBlob,
  reference: string,
): Promise<void> {
  const headers = { "content-type": mediaType };
  const url = `${registry}/v2/${repository}/manifests/${reference}`;
  await expectCreated(await fetch(url, { method: "PUT", body: Buffer.from(bytes), headers }));
}

async function expectCreated(response: Response): Promise<void> {
  if (response.status === 201) return;
  throw new Error(`PUT ${response.url}: ${response.status} ${await response.text()}`);
}
