// Attachments: signatures of sigstore, kept as an image beside the one that they are about.
//
// The image goes by a tag made of the other one's digest. Each of its layers is a payload; what is said of
// it, the signature above all, stands in the layer's annotations.

import { type Digest, digestAlgorithm, digestHex, digestOf } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { configTypes, manifestTypes } from "../../core/content/media-types.ts";
import type { SigstoreSignature } from "../../core/content/signature-blob.ts";
import { Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import type { RawManifest, SmallBlob } from "../../core/image/source.ts";
import {
  encodeJsonBytes,
  goMap,
  isJsonObject,
  type JsonObject,
  parseStrictJson,
} from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";

/** Returns the tag that the signatures of a manifest go by. */
export function attachmentTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}.sig`;
}

/** Tells whether a name is such a tag. */
export function isAttachmentTag(name: string): boolean {
  return /^(sha256-[0-9a-f]{64}|sha384-[0-9a-f]{96}|sha512-[0-9a-f]{128})\.sig$/.test(name);
}

/** A payload that is still to be read, of the size that is promised. */
export interface AttachedPayload extends Descriptor {
  readonly size: number;
}

/**
 * Returns the payloads of an image of signatures. `where` is what messages call it.
 *
 * Fails with `corrupt` if it is no such image, and if there are more of them than anybody needs.
 */
export function attachedPayloads(raw: RawManifest, where: string): readonly AttachedPayload[] {
  if (raw.mediaType !== manifestTypes.oci) {
    throw new Failure(
      "corrupt",
      `unexpected MIME type for sigstore attachment manifest ${where}: ${quoted(raw.mediaType)}`,
    );
  }
  const manifest = parseManifest(raw);
  if (manifest.kind !== "image") throw new Failure("bug", "An OCI manifest is a list");
  const payloads = manifest.layers.map((layer): AttachedPayload => {
    const { size = Infinity } = layer;
    if (size <= limits.signatureBytes) return { ...layer, size };
    throw new Failure(
      "corrupt",
      `Signature ${layer.digest} in ${where} exceeds ${limits.signatureBytes} bytes`,
    );
  });
  const total = payloads.reduce((sum, { size }) => sum + size, 0);
  if (payloads.length > limits.signatures || total > limits.signaturesBytes) {
    throw new Failure("corrupt", `Too many signatures in ${where}: ${payloads.length}`);
  }
  return payloads;
}

/** Returns the signature that consists of a payload and what is said of it. */
export function attachedSignature(
  { mediaType, annotations = {} }: Descriptor,
  payload: Uint8Array,
): SigstoreSignature {
  return { kind: "sigstore", mediaType, payload, annotations };
}

/** An image of signatures as it is found. */
export interface FoundAttachments {
  readonly manifest: RawManifest;
  /** Absent if it cannot be had; it is made anew then. */
  readonly config?: Uint8Array | undefined;
}

/** An image of signatures as it is to be. The payloads are those that came with new signatures. */
export interface NewAttachments {
  readonly manifest: SmallBlob;
  readonly config: SmallBlob;
  readonly payloads: readonly SmallBlob[];
}

/** Returns the payloads of signatures, as they are kept. */
export function payloadsOf(signatures: readonly SigstoreSignature[]): readonly SmallBlob[] {
  return signatures.map(({ mediaType, payload }) => blobOf(mediaType, payload));
}

/**
 * Adds signatures to those that are there. Undefined means that there is nothing to add: each is there
 * already, with the same annotations.
 */
export function withAttachments(
  found: FoundAttachments | undefined,
  signatures: readonly SigstoreSignature[],
  where: string,
): NewAttachments | undefined {
  const present = found === undefined ? [] : attachedPayloads(found.manifest, where);
  const layers = [...present];
  for (const { mediaType, payload, annotations } of signatures) {
    const layer = {
      mediaType,
      digest: digestOf(payload),
      size: payload.length,
      annotations,
    };
    if (!layers.some((each) => isSame(each, layer))) layers.push(layer);
  }
  if (layers.length === present.length) return undefined;
  const config = blobOf(configTypes.oci, configOf(found?.config, layers));
  const manifest = blobOf(manifestTypes.oci, manifestOf(found?.manifest, config, layers));
  if (manifest.bytes.length > limits.manifestBytes) {
    throw new Failure("unsupported", `There is no room for more signatures in ${where}`);
  }
  return { manifest, config, payloads: payloadsOf(signatures) };
}

function isSame(one: AttachedPayload, other: AttachedPayload): boolean {
  return (
    one.mediaType === other.mediaType &&
    one.size === other.size &&
    one.digest === other.digest &&
    Bun.deepEquals({ ...one.annotations }, { ...other.annotations }, true)
  );
}

function blobOf(mediaType: string, bytes: Uint8Array): SmallBlob {
  return { mediaType, digest: digestOf(bytes), bytes };
}

/** Images have a config that names their layers, and tools ask for one here, too. */
function configOf(bytes: Uint8Array | undefined, layers: readonly AttachedPayload[]): Uint8Array {
  const kept = objectIn(bytes) ?? { architecture: "", os: "", config: {} };
  const diffIds = layers.map(({ digest }) => digest);
  return encodeJsonBytes({ ...kept, rootfs: { type: "layers", diff_ids: diffIds } });
}

/** Nobody relies on what is lost where it cannot be read. */
function objectIn(bytes: Uint8Array | undefined): JsonObject | undefined {
  if (bytes === undefined) return undefined;
  try {
    const found = parseStrictJson(bytes);
    return isJsonObject(found) ? found : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function manifestOf(
  found: RawManifest | undefined,
  config: SmallBlob,
  layers: readonly AttachedPayload[],
): Uint8Array {
  return encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.oci,
    ...objectIn(found?.bytes),
    config: { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length },
    layers: layers.map(({ mediaType, digest, size, annotations }) => ({
      mediaType,
      digest,
      size,
      annotations: annotations && goMap(annotations),
    })),
  });
}
