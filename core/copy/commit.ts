// Commit: the manifest of one image, with second choices, once its blobs are there.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import type { ManifestType } from "../content/media-types.ts";
import { Failure, asFailure, during } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { rewriteImage } from "../manifest/convert.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import { type ImagePlan, staysForeign } from "./plan.ts";
import { type MovedBlob, type Transfer, sendBlob } from "./transfer.ts";

/** What writing the manifest of one image rests on. */
export interface Commit {
  readonly manifest: ImageManifest;
  readonly plan: ImagePlan;
  readonly moved: ReadonlyMap<Digest, MovedBlob>;
  readonly transfer: Transfer;
  /** Reads the source's config; empty for schema 1. */
  readonly readConfig: () => Promise<Uint8Array>;
  /** Whether the destination's name will lead to it, or it travels as one of a list's images. */
  readonly role: "top-level" | "instance";
}

/**
 * Writes the manifest in the first of the planned types that the destination takes, and the config where
 * it had to be converted. Returns the manifest as written.
 */
export async function commitImage(commit: Commit): Promise<RawManifest> {
  const { formats, frozenBecause } = commit.plan;
  const attempts: { readonly type: ManifestType; readonly failure: Failure }[] = [];
  for (const type of formats) {
    try {
      return await commitAs(type, commit);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "unsupported") throw error;
      attempts.push({ type, failure });
    }
  }
  throw nothingTaken(attempts, frozenBecause);
}

function nothingTaken(
  attempts: readonly { readonly type: ManifestType; readonly failure: Failure }[],
  frozenBecause: string | undefined,
): Failure {
  const [first] = attempts;
  if (attempts.length === 1 && first !== undefined) {
    if (frozenBecause === undefined) return first.failure;
    return new Failure(
      "unsupported",
      `writing manifest failed and we cannot try conversions: ${JSON.stringify(frozenBecause)}: ${first.failure.message}`,
      { cause: first.failure },
    );
  }
  const told = attempts.map(({ type, failure }) => `${type}(${failure.message})`).join(", ");
  return new Failure(
    "unsupported",
    `Uploading manifest failed, attempted the following formats: ${told}`,
  );
}

async function commitAs(type: ManifestType, commit: Commit): Promise<RawManifest> {
  const { manifest, transfer } = commit;
  const { image, writer, tell } = transfer;
  const layers = layersAsStored(commit);
  const config = type === manifest.mediaType ? new Uint8Array() : await commit.readConfig();
  const written = await during("creating an updated image manifest", () =>
    rewriteImage(manifest, { to: type, config, ...(layers === undefined ? {} : { layers }) }),
  );
  if (written.config !== undefined) await putConfig(written.config, transfer);
  const instance =
    commit.role === "instance" ? digestAsWritten(written.manifest, image) : undefined;
  tell({ kind: "manifest-begun", of: "image" });
  await during(
    "writing manifest",
    () =>
      withMissingBlobs(commit, () => writer.putManifest(image.publish(written.manifest), instance)),
    "destination",
  );
  return written.manifest;
}

/** An image that did not change keeps its digest, whatever the algorithm. */
function digestAsWritten(written: RawManifest, image: AdmittedImage): Digest {
  return written === image.manifest ? image.digest : manifestDigest(written.bytes);
}

/** Returns the layers as the destination holds them, or undefined if none has changed. */
function layersAsStored({ manifest, moved, plan, transfer }: Commit): Descriptor[] | undefined {
  if (plan.frozenBecause !== undefined) return undefined;
  let changed = false;
  const layers = manifest.layers.map((layer) => {
    const blob = moved.get(layer.digest);
    if (blob === undefined || staysForeign(layer, transfer.writer.traits)) return layer;
    const { digest, size } = blob.stored;
    if (digest === layer.digest) return layer;
    changed = true;
    // Its URLs lead to other bytes.
    const { urls: _, ...own } = layer;
    return { ...own, mediaType: blob.mediaType, digest, size };
  });
  return changed ? layers : undefined;
}

async function putConfig(
  { bytes, descriptor }: { readonly bytes: Uint8Array; readonly descriptor: Descriptor },
  { image, writer, tell, signal }: Transfer,
): Promise<void> {
  const { digest } = descriptor;
  tell({ kind: "blob-begun", digest, role: "config", size: bytes.length });
  const stored = await during(
    "writing blob",
    async () =>
      (await writer.reuseBlob(descriptor, "config")) ??
      writer.putBlob(image.generate(bytes, descriptor.mediaType), "config", signal),
    "destination",
  );
  tell({ kind: "blob-ended", digest, role: "config", by: stored.by, size: stored.size });
}

/**
 * Runs `put`. A destination that claimed to have blobs which it then misses is sent those blobs, once:
 * the ones that it names, or all that were not sent.
 */
async function withMissingBlobs(commit: Commit, put: () => Promise<void>): Promise<void> {
  try {
    await put();
  } catch (error) {
    const missing = error instanceof Failure ? error.missingBlobs : undefined;
    if (missing === undefined) throw error;
    const unsent = commit.plan.steps.filter(({ blob }) => {
      const moved = commit.moved.get(blob.digest)?.stored;
      if (moved === undefined || moved.by === "sending" || moved.digest !== blob.digest)
        return false;
      return missing.length === 0 || missing.includes(blob.digest);
    });
    if (unsent.length === 0) throw error;
    for (const { blob, role } of unsent) {
      // As it is: the manifest already names it so.
      await sendBlob({ blob, role, recoding: "none" }, commit.transfer);
    }
    await put();
  }
}
