// Attachments: signatures of sigstore in a layout, under the names that registries have for them.

import { collect } from "../../core/blob/collect.ts";
import { verified } from "../../core/blob/verify.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { type Digest, isDigest } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import {
  encodeSignatureBlob,
  parseSignatureBlob,
  type SigstoreSignature,
} from "../../core/content/signature-blob.ts";
import { Failure } from "../../core/failure.ts";
import type { RawManifest, Signature, SmallBlob } from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import {
  attachedPayloads,
  attachedSignature,
  attachmentTag,
  type FoundAttachments,
  withAttachments,
} from "../shared/attachments.ts";
import { findSignatures, type LayoutIndex, withSignatures } from "./index-json.ts";

/** Why layouts hold no OpenPGP signatures, in the words of the original, which holds none at all. */
export const refusedForms = {
  "simple-signing": "Pushing signatures for OCI images is not supported",
} as const;

/** Reads blobs of a layout. */
export interface BlobReader {
  openBlob(digest: Digest): ByteStream;
}

/** Returns the signatures that a layout holds for a manifest. */
export async function readAttachments(
  index: LayoutIndex,
  digest: Digest,
  reader: BlobReader,
): Promise<readonly Signature[]> {
  const where = attachmentTag(digest);
  const raw = await find(index, digest, reader);
  if (raw === undefined) return [];
  const signatures: Signature[] = [];
  for (const payload of attachedPayloads(raw, where)) {
    const bytes = await read(payload, limits.signatureBytes, reader);
    signatures.push(encodeSignatureBlob(attachedSignature(payload, bytes)));
  }
  return signatures;
}

/** Returns the signatures that are of sigstore's form. Fails with `unsupported` if one is not. */
export function sigstoreOnly(signatures: readonly Signature[]): readonly SigstoreSignature[] {
  return signatures.map(parseSignatureBlob).map((signature) => {
    if (signature.kind === "sigstore") return signature;
    throw new Failure("unsupported", refusedForms[signature.kind]);
  });
}

/** Returns the index without the signatures of these manifests, which are about nothing any more. */
export function withoutSignatures(index: LayoutIndex, gone: readonly Digest[]): LayoutIndex {
  const names = new Set(gone.map(attachmentTag));
  const entries = index.entries.filter(({ name }) => name === undefined || !names.has(name));
  return { ...index, entries };
}

/** Signatures on their way into a layout, by the manifest that they are about. */
export class PendingAttachments {
  readonly #signatures = new Map<Digest, readonly SigstoreSignature[]>();

  /** Adds signatures of a manifest. Fails with `unsupported` if one is not of sigstore's form. */
  add(digest: Digest, signatures: readonly Signature[]): void {
    const earlier = this.#signatures.get(digest) ?? [];
    this.#signatures.set(digest, [...earlier, ...sigstoreOnly(signatures)]);
  }

  /**
   * Returns an index that has these signatures, besides those that are there. `put` is given what they
   * consist of, and may be given the same twice.
   */
  async addTo(
    index: LayoutIndex,
    reader: BlobReader,
    put: (blob: SmallBlob) => Promise<void>,
  ): Promise<LayoutIndex> {
    let next = index;
    for (const [digest, signatures] of this.#signatures) {
      const name = attachmentTag(digest);
      const added = withAttachments(await findWhole(next, digest, reader), signatures, name);
      if (added === undefined) continue;
      const { manifest, config, payloads } = added;
      for (const blob of [...payloads, config, manifest]) await put(blob);
      const entry = { mediaType: manifest.mediaType, digest: manifest.digest };
      const size = manifest.bytes.length;
      next = withSignatures(next, { ...entry, size }, { digest, name });
    }
    return next;
  }
}

async function find(
  index: LayoutIndex,
  of: Digest,
  reader: BlobReader,
): Promise<RawManifest | undefined> {
  const entry = findSignatures(index, of, attachmentTag(of));
  if (entry === undefined || !isDigest(entry.digest)) return undefined;
  const { digest } = entry;
  const mediaType = entry.mediaType === "" ? manifestTypes.oci : entry.mediaType;
  const bytes = await read({ mediaType, digest }, limits.manifestBytes, reader);
  return { bytes, mediaType };
}

async function findWhole(
  index: LayoutIndex,
  of: Digest,
  reader: BlobReader,
): Promise<FoundAttachments | undefined> {
  const raw = await find(index, of, reader);
  if (raw === undefined) return undefined;
  const manifest = parseManifest(raw);
  if (manifest.kind !== "image" || manifest.config === undefined) return { manifest: raw };
  return { manifest: raw, config: await read(manifest.config, limits.configBytes, reader) };
}

function read(blob: Descriptor, limitBytes: number, reader: BlobReader): Promise<Uint8Array> {
  return collect(verified(blob)(reader.openBlob(blob.digest)), limitBytes);
}
