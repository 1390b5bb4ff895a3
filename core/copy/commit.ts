// Commit: the manifest of one image, with second choices, once its blobs are there.

import { mapLimited } from "../concurrency.ts";
import { withoutChunked } from "../content/chunked-layer.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { isEncryptedType, withoutEncryption } from "../content/encrypted-layer.ts";
import { type Digest, digestAlgorithm } from "../content/digest.ts";
import { isSchema1, type ManifestType } from "../content/media-types.ts";
import { Failure, asFailure, during } from "../failure.ts";
import type { BlobRole } from "../image/destination.ts";
import type { RawManifest } from "../image/source.ts";
import {
  needsDiffIds,
  type RewrittenBlob,
  type RewrittenImage,
  rewriteImage,
} from "../manifest/convert.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { EmbeddedName } from "../manifest/schema1.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import { outcomeOf } from "./blob-outcome.ts";
import { otherFormats } from "./formats.ts";
import { wouldChange } from "./frozen.ts";
import { asIs, type ImagePlan } from "./plan.ts";
import { type MovedBlob, type Transfer, sendBlob, withDiffId } from "./transfer.ts";

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
  /** What a schema 1 manifest shall say which image it is; undefined where no registry knows it. */
  readonly name: EmbeddedName | undefined;
  /** Tells when a schema 1 manifest is signed. */
  readonly now: () => Date;
}

/**
 * Writes the manifest in the first of the planned types that the destination takes, and the config where
 * it had to be converted. Returns the manifest as written.
 */
export async function commitImage(commit: Commit): Promise<RawManifest> {
  const { formats } = commit.plan;
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
  throw nothingTaken(attempts, commit);
}

/** Fails, before anything is moved, where the destination is known to take none of the planned types. */
export function checkTaken(commit: Pick<Commit, "manifest" | "plan" | "transfer">): void {
  const { manifestTypes, refusesOtherTypes: why } = commit.transfer.writer.traits;
  const { formats } = commit.plan;
  if (why === undefined || formats.some((type) => manifestTypes.includes(type))) return;
  const refusal = new Failure("unsupported", `writing manifest: ${why}`, { side: "destination" });
  throw nothingTaken(
    formats.map((type) => ({ type, failure: refusal })),
    commit,
  );
}

function nothingTaken(
  attempts: readonly { readonly type: ManifestType; readonly failure: Failure }[],
  { plan: { frozenBecause }, manifest, transfer }: Pick<Commit, "manifest" | "plan" | "transfer">,
): Failure {
  const [first] = attempts;
  if (attempts.length === 1 && first !== undefined) {
    if (frozenBecause === undefined) return first.failure;
    const others = otherFormats(manifest.mediaType, transfer.writer.traits);
    if (others.length === 0) return first.failure;
    return wouldChange(
      first.failure.message,
      `it has to stay of type ${manifest.mediaType} (${frozenBecause}), as ${others.join(" or ")} it would have another digest`,
      frozenBecause,
    );
  }
  const told = attempts.map(({ type, failure }) => `${type}(${failure.message})`).join(", ");
  return new Failure(
    "unsupported",
    `Uploading manifest failed, attempted the following formats: ${told}`,
  );
}

async function commitAs(type: ManifestType, commit: Commit): Promise<RawManifest> {
  const { transfer } = commit;
  const { image, writer, tell } = transfer;
  const rewritten = await during("creating an updated image manifest", () =>
    rewrittenAs(type, commit),
  );
  const { emptyLayer, config } = rewritten;
  if (emptyLayer !== undefined) await putBlob(emptyLayer, "layer", transfer);
  if (config !== undefined) await putBlob(config, "config", transfer);
  const written = await signed(rewritten.manifest, commit);
  const instance = commit.role === "instance" ? digestAsWritten(written, image) : undefined;
  tell({ kind: "manifest-begun", of: "image" });
  await during(
    "writing manifest",
    () => withMissingBlobs(commit, () => writer.putManifest(image.publish(written), instance)),
    "destination",
  );
  tell({ kind: "manifest-written", of: "image", ...writtenAs(written, image) });
  return written;
}

async function rewrittenAs(type: ManifestType, commit: Commit): Promise<RewrittenImage> {
  const { manifest, name, plan } = commit;
  const converting = type !== manifest.mediaType;
  const config = converting ? await commit.readConfig() : new Uint8Array();
  const moved = needsDiffIds(manifest.mediaType, type) ? await withDiffIds(commit) : commit.moved;
  const diffIds = new Map<Digest, Digest>();
  for (const [digest, { diffId }] of moved) if (diffId !== undefined) diffIds.set(digest, diffId);
  const changes = plan.frozenBecause === undefined && { layers: layersAsStored(manifest, moved) };
  return rewriteImage(manifest, {
    to: type,
    config,
    diffIds,
    ...changes,
    ...(name !== undefined && { name }),
  });
}

/** Makes up for diffIDs that the first choice of a type did not need. */
async function withDiffIds({ plan, moved, transfer }: Commit): Promise<Commit["moved"]> {
  const limit = transfer.image.concurrent ? transfer.parallelBlobs : 1;
  const read = await mapLimited(plan.steps, limit, async ({ blob }, signal) => {
    const known = moved.get(blob.digest);
    if (known === undefined) throw new Failure("bug", `Blob ${blob.digest} was not moved`);
    return [blob.digest, await withDiffId(blob, known, { ...transfer, signal })] as const;
  });
  return new Map(read);
}

/** Registries refuse schema 1 without a signature; nobody verifies whose it is. */
async function signed(written: RawManifest, { manifest, now }: Commit): Promise<RawManifest> {
  if (written === manifest.raw || !isSchema1(written.mediaType)) return written;
  const { signSchema1 } = await import("../manifest/schema1-signature.ts");
  return signSchema1(written.bytes, now());
}

/** Returns the digest of a manifest as written. One that did not change keeps its own, of any algorithm. */
export function digestAsWritten(written: RawManifest, image: AdmittedImage): Digest {
  return written === image.manifest ? image.digest : manifestDigest(written.bytes);
}

/** Returns what is told about a manifest as written. */
export function writtenAs(written: RawManifest, image: AdmittedImage) {
  const { mediaType, bytes } = written;
  return { digest: digestAsWritten(written, image), mediaType, size: bytes.length };
}

/** Returns the layers as the destination holds them. */
function layersAsStored(manifest: ImageManifest, moved: Commit["moved"]): Descriptor[] {
  const isNew = manifest.layers.some(({ digest }) => {
    return (moved.get(digest)?.stored.digest ?? digest) !== digest;
  });
  return manifest.layers.map((layer) => {
    const blob = moved.get(layer.digest);
    if (blob === undefined) return layer;
    const { digest, size } = blob.stored;
    if (digest === layer.digest && layer.size !== undefined) {
      // What is called by the wrong name gets its own where the manifest is written anew.
      return isNew ? { ...layer, mediaType: blob.mediaType } : layer;
    }
    // Its URLs lead to other bytes.
    const { urls: _, annotations, ...own } = layer;
    const decrypted = isEncryptedType(layer.mediaType) && !isEncryptedType(blob.mediaType);
    const lasting = decrypted ? withoutEncryption(annotations ?? {}) : (annotations ?? {});
    const said = { ...withoutChunked(lasting), ...blob.annotations };
    const known = Object.keys(said).length > 0 && { annotations: said };
    return { ...own, ...known, mediaType: blob.mediaType, digest, size };
  });
}

async function putBlob(
  { bytes, descriptor }: RewrittenBlob,
  role: BlobRole,
  { image, writer, tell, signal }: Transfer,
): Promise<void> {
  const { digest, mediaType } = descriptor;
  tell({ kind: "blob-begun", digest, role, size: bytes.length });
  const blob = image.generate(bytes, mediaType, digestAlgorithm(digest));
  const stored = await during(
    "writing blob",
    async () => (await writer.reuseBlob(descriptor, role)) ?? writer.putBlob(blob, role, signal),
    "destination",
  );
  const outcome = outcomeOf(stored);
  const made = outcome === "sent" && { changes: ["convert"] as const };
  tell({ kind: "blob-ended", digest, role, outcome, size: stored.size, ...made });
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
      await sendBlob(asIs(blob, role), commit.transfer);
    }
    await put();
  }
}
