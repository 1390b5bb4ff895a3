// Attachments: what a layout holds about images.
//
// Signatures of sigstore go by the names that registries have for them.

import { collect } from "../../core/blob/collect.ts";
import { verified } from "../../core/blob/verify.ts";
import { type Digest, isDigest } from "../../core/content/digest.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import {
  encodeSignatureBlob,
  parseSignatureBlob,
  type SignatureContent,
  type SigstoreSignature,
} from "../../core/content/signature-blob.ts";
import type { RawManifest, Referrer, Signature, SmallBlob } from "../../core/image/source.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import {
  attachedPayloads,
  attachedSignature,
  attachmentTag,
  type FoundAttachments,
  withAttachments,
} from "../shared/attachments.ts";
import { referrerEntry } from "../shared/referrers.ts";
import { withHidden, withHiddenEntries } from "./hidden-index.ts";
import {
  artifactEntry,
  findSignatures,
  type IndexEntry,
  type LayoutIndex,
  withArtifact,
  withKind,
  withSignatures,
} from "./index-json.ts";
import type { BlobReader, LayoutBlobs } from "./layout-blobs.ts";
import { readMessages, withMessages } from "./simple-signing.ts";

/** Returns the signatures that a layout holds for a manifest, of all forms. */
export async function readAttachments(
  index: LayoutIndex,
  digest: Digest,
  reader: BlobReader,
): Promise<readonly Signature[]> {
  const messages = await readMessages(index, digest, reader);
  return [...messages, ...(await readSigstore(index, digest, reader))];
}

async function readSigstore(
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

/** Returns the index without the signatures of these manifests, which are about nothing any more. */
export function withoutSignatures(index: LayoutIndex, gone: readonly Digest[]): LayoutIndex {
  const names = new Set(gone.map(attachmentTag));
  const entries = index.entries.filter(({ name }) => name === undefined || !names.has(name));
  return { ...index, entries };
}

/** How a layout is to hold what is about an image that is written. */
export interface AttachmentWish {
  /** The image that the index lists, and to which all that is attached belongs. */
  readonly image: Digest;
  /** Whether bundles are listed in the index, where strangers find them; else they are hidden behind the image. */
  readonly listsBundles: boolean;
}

/** What is about manifests, on its way into a layout. */
export class PendingAttachments {
  readonly #signatures = new Map<Digest, PendingSignatures>();
  readonly #referrers = new Map<Digest, readonly Referrer[]>();

  /** Adds signatures of a manifest. Fails with `corrupt` if one is of no known form. */
  addSignatures(of: Descriptor, signatures: readonly Signature[]): void {
    const earlier = this.#signatures.get(of.digest)?.contents ?? [];
    const contents = [...earlier, ...signatures.map(parseSignatureBlob)];
    this.#signatures.set(of.digest, { of, contents });
  }

  /** Adds referrers of a manifest. */
  addReferrers(digest: Digest, referrers: readonly Referrer[]): void {
    this.#referrers.set(digest, [...(this.#referrers.get(digest) ?? []), ...referrers]);
  }

  /**
   * Returns an index that has all this, besides what is there. `put` is given what it consists of, and may be given
   * the same twice.
   */
  async addTo(
    index: LayoutIndex,
    { image, listsBundles }: AttachmentWish,
    blobs: LayoutBlobs,
  ): Promise<LayoutIndex> {
    const { reader, put } = blobs;
    const whole = await withHiddenEntries(index, [image], reader);
    const added: IndexEntry[] = [];
    const replaced = new Set<string>();
    let next = index;
    for (const { of, contents } of this.#signatures.values()) {
      const sigstore = contents.filter((each) => each.kind === "sigstore");
      const messages = contents.flatMap((each) => (each.kind === "sigstore" ? [] : each.message));
      next = await withSigstore(next, { digest: of.digest, sigstore }, blobs);
      const made = await withMessages(whole, { subject: of, messages }, reader);
      if (made === undefined) continue;
      await putReferrer(made.artifact, put);
      added.push(artifactEntry(referrerEntry(made.artifact), of.digest));
      for (const each of made.replaced) replaced.add(each);
    }
    for (const [digest, referrers] of this.#referrers) {
      next = withKind(next, digest);
      for (const referrer of referrers) {
        await putReferrer(referrer, put);
        const entry = artifactEntry(referrerEntry(referrer), digest);
        if (listsBundles) next = withArtifact(next, entry);
        else added.push(entry);
      }
    }
    return withHidden(next, { image, added, replaced }, blobs);
  }
}

async function putReferrer(
  { blobs, manifest }: Referrer,
  put: (blob: SmallBlob) => Promise<void>,
): Promise<void> {
  for (const blob of [...blobs, manifest]) await put(blob);
}

interface PendingSignatures {
  readonly of: Descriptor;
  readonly contents: readonly SignatureContent[];
}

async function withSigstore(
  index: LayoutIndex,
  { digest, sigstore }: { digest: Digest; sigstore: readonly SigstoreSignature[] },
  { reader, put }: LayoutBlobs,
): Promise<LayoutIndex> {
  if (sigstore.length === 0) return index;
  const name = attachmentTag(digest);
  const added = withAttachments(await findWhole(index, digest, reader), sigstore, name);
  if (added === undefined) return index;
  const { manifest, config, payloads } = added;
  for (const blob of [...payloads, config, manifest]) await put(blob);
  const entry = { mediaType: manifest.mediaType, digest: manifest.digest };
  return withSignatures(index, { ...entry, size: manifest.bytes.length }, { digest, name });
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
