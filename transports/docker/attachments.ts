// Attachments: signatures of sigstore beside an image in its registry.

import { collect } from "../../core/blob/collect.ts";
import { verified } from "../../core/blob/verify.ts";
import type { Digest } from "../../core/content/digest.ts";
import { type DockerName, fullRepository, isTag } from "../../core/content/docker-name.ts";
import type { SigstoreSignature } from "../../core/content/signature-blob.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import type { RawManifest, SmallBlob } from "../../core/image/source.ts";
import type { TransportLog } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import {
  attachedPayloads,
  attachedSignature,
  attachmentTag,
  type FoundAttachments,
  payloadsOf,
  withAttachments,
} from "../shared/attachments.ts";
import type { RegistryClient } from "./client.ts";
import { openDownload } from "./download.ts";
import { readManifest } from "./manifest.ts";
import { publishManifest } from "./publish.ts";
import { sendSmallBlob } from "./small-blob.ts";

/** Whose signatures are meant, and who asks for them. */
export interface AttachmentPlace {
  readonly client: RegistryClient;
  readonly name: DockerName;
  /** Of the manifest that they are about. */
  readonly digest: Digest;
  readonly log: TransportLog;
}

/** Returns the signatures beside an image, each verified to be what was promised. */
export async function readAttachments(
  place: AttachmentPlace,
): Promise<readonly SigstoreSignature[]> {
  const raw = await find(place);
  if (raw === undefined) return [];
  const signatures: SigstoreSignature[] = [];
  for (const payload of attachedPayloads(raw, whereOf(place))) {
    const bytes = await read(place, payload, limits.signatureBytes);
    signatures.push(attachedSignature(payload, bytes));
  }
  return signatures;
}

/** How often others may come in between before we give up. */
const attempts = 5;

/**
 * Adds signatures to those beside an image. `signal` ends the writing.
 *
 * Registries know no way to change a tag only if nobody else has: who adds at the same time may take
 * away what was just written. So it is read back, and added again if it is gone.
 */
export async function addAttachments(
  place: AttachmentPlace,
  signatures: readonly SigstoreSignature[],
  signal: AbortSignal,
): Promise<void> {
  const where = whereOf(place);
  const reference = attachmentTag(place.digest);
  if (!isTag(reference)) {
    throw new Failure("unsupported", `Registries cannot keep signatures of ${place.digest}`, {
      hint: "its digest is too long for a tag; name the image by SHA-256",
    });
  }
  const { client, name, log } = place;
  const send = (blob: SmallBlob) => sendSmallBlob(blob, { client, log, signal });
  let sent = false;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const found = await find(place);
    const next = withAttachments(found && (await withConfig(place, found)), signatures, where);
    if (next === undefined) return;
    if (!sent) for (const payload of payloadsOf(signatures)) await send(payload);
    sent = true;
    await send(next.config);
    // As late as can be: whoever was faster than us is not to be overwritten.
    if (!isSame(found, await find(place))) continue;
    await publishManifest({ client, name, manifest: next.manifest, reference, signal });
  }
  // What the last attempt has written may be there.
  const last = await find(place);
  const missing = withAttachments(last && { manifest: last }, signatures, where);
  if (missing === undefined) return;
  throw new Failure(
    "unavailable",
    `Others change ${where} all the time, and our signature is lost`,
    {
      hint: "sign again when they are done",
    },
  );
}

async function find(place: AttachmentPlace): Promise<RawManifest | undefined> {
  const { client, name, digest } = place;
  // Of long digests no tag can be made, so that nothing can be kept under one.
  if (!isTag(attachmentTag(digest))) return undefined;
  try {
    return await readManifest({ client, name, reference: attachmentTag(digest) });
  } catch (error) {
    if (asFailure(error).code === "not-found") return undefined;
    throw error;
  }
}

async function withConfig(place: AttachmentPlace, raw: RawManifest): Promise<FoundAttachments> {
  const manifest = parseManifest(raw);
  if (manifest.kind !== "image" || manifest.config === undefined) return { manifest: raw };
  try {
    return { manifest: raw, config: await read(place, manifest.config, limits.configBytes) };
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === "canceled" || failure.code === "bug") throw failure;
    place.log.debug(`Making the config of ${whereOf(place)} anew: ${failure.message}`);
    return { manifest: raw };
  }
}

async function read(
  { client, log }: AttachmentPlace,
  blob: Parameters<typeof openDownload>[0]["blob"],
  limitBytes: number,
): Promise<Uint8Array> {
  const stored = await openDownload({ client, blob, reading: {}, log });
  return collect(verified(blob)(stored), limitBytes);
}

function isSame(one: RawManifest | undefined, other: RawManifest | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one.bytes, other.bytes) === 0;
}

function whereOf({ name, digest }: AttachmentPlace): string {
  return `${fullRepository(name)}:${attachmentTag(digest)}`;
}
