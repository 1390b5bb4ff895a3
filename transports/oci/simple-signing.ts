// Simple signing: OpenPGP signatures in a layout, where no other program knows a place for them.
//
// They are layers of an artifact that is about the image, by its `subject`, and hidden behind the image. What is
// found there is as trustworthy as the rest of the layout: not at all, until a policy has verified it.

import { collect } from "../../core/blob/collect.ts";
import { verified } from "../../core/blob/verify.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestOf } from "../../core/content/digest.ts";
import { emptyConfig } from "../../core/content/empty-config.ts";
import { manifestTypes } from "../../core/content/media-types.ts";
import { parseSignatureBlob } from "../../core/content/signature-blob.ts";
import { Failure } from "../../core/failure.ts";
import type { RawManifest, Referrer, Signature, SmallBlob } from "../../core/image/source.ts";
import { encodeJsonBytes, isJsonObject } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import { parseManifest } from "../../core/manifest/manifest.ts";
import { manifestMembers } from "../shared/referrers.ts";
import type { LayoutIndex } from "./index-json.ts";
import type { BlobReader } from "./layout-blobs.ts";
import { readReferrers } from "./referrers.ts";

/** The type of the artifact. */
export const simpleSigningType = "application/vnd.dray.simple-signing.v1";

/** The type of its layers: one OpenPGP message each, with the signed payload inside. */
export const messageType = "application/vnd.dray.simple-signing.message.v1";

/** Returns the OpenPGP signatures that a layout holds for a manifest, each once. */
export async function readMessages(
  index: LayoutIndex,
  digest: Digest,
  reader: BlobReader,
): Promise<readonly Signature[]> {
  return (await find(index, digest, reader)).messages;
}

interface FoundMessages {
  /** The artifacts that hold them. */
  readonly artifacts: readonly Digest[];
  readonly messages: readonly Signature[];
}

async function find(
  index: LayoutIndex,
  digest: Digest,
  reader: BlobReader,
): Promise<FoundMessages> {
  const wish = { digest, artifactType: simpleSigningType };
  const listed = await readReferrers(index, wish, {
    readManifest: (each) => collect(reader.openBlob(each), limits.manifestBytes),
  });
  const own = listed.filter((raw) => isAbout(raw, digest));
  const layers = new Map(own.flatMap(layersOf).map((layer) => [layer.digest, layer]));
  checkRoom([...layers.values()], digest, "corrupt");
  const messages: Signature[] = [];
  for (const layer of layers.values()) messages.push(await readMessage(layer, reader));
  return { artifacts: own.map(({ bytes }) => digestOf(bytes)), messages };
}

function isAbout({ bytes }: RawManifest, digest: Digest): boolean {
  const { artifactType, subject = null } = manifestMembers(bytes);
  const about = isJsonObject(subject) ? subject["digest"] : undefined;
  return artifactType === simpleSigningType && about === digest;
}

function layersOf(raw: RawManifest): readonly Descriptor[] {
  const manifest = parseManifest(raw);
  if (manifest.kind !== "image") throw new Failure("bug", "An OCI manifest is a list");
  return manifest.layers.filter(({ mediaType }) => mediaType === messageType);
}

async function readMessage(layer: Descriptor, reader: BlobReader): Promise<Signature> {
  const message = await collect(
    verified(layer)(reader.openBlob(layer.digest)),
    limits.signatureBytes,
  );
  if (parseSignatureBlob(message).kind === "simple-signing") return message;
  throw new Failure("corrupt", `Signature ${layer.digest} is no OpenPGP message`);
}

/** Fails with `code` if these are more than anybody needs. */
function checkRoom(
  messages: readonly Pick<Descriptor, "size">[],
  digest: Digest,
  code: "corrupt" | "unsupported",
): void {
  const sizes = messages.map(({ size = Infinity }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const fits = sizes.every((size) => size <= limits.signatureBytes);
  if (fits && total <= limits.signaturesBytes && messages.length <= limits.signatures) return;
  throw new Failure(code, `Too many OpenPGP signatures of ${digest}: ${messages.length}`);
}

/** An artifact with OpenPGP signatures, and those that it takes the place of. */
export interface MessagesArtifact {
  readonly artifact: Referrer;
  readonly replaced: readonly Digest[];
}

/**
 * Makes the artifact that has OpenPGP signatures of a manifest besides those that are there. Undefined means that
 * all of them are. Fails with `unsupported` if they are too many.
 */
export async function withMessages(
  index: LayoutIndex,
  { subject, messages }: { readonly subject: Descriptor; readonly messages: readonly Signature[] },
  reader: BlobReader,
): Promise<MessagesArtifact | undefined> {
  if (messages.length === 0) return undefined;
  const found = await find(index, subject.digest, reader);
  const all = new Map(
    [...found.messages, ...messages].map((bytes) => [digestOf(bytes), bytes] as const),
  );
  if (all.size === found.messages.length) return undefined;
  const layers = Array.from(all, ([digest, bytes]) => ({ mediaType: messageType, digest, bytes }));
  checkRoom(
    layers.map(({ bytes }) => ({ size: bytes.length })),
    subject.digest,
    "unsupported",
  );
  const bytes = artifactOf(subject, layers);
  const manifest = { mediaType: manifestTypes.oci, digest: digestOf(bytes), bytes };
  const blobs = [...layers, emptyConfig];
  return {
    artifact: { manifest, artifactType: simpleSigningType, blobs },
    replaced: found.artifacts,
  };
}

function artifactOf(subject: Descriptor, layers: readonly SmallBlob[]): Uint8Array {
  const described = ({ mediaType, digest, bytes }: SmallBlob) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const { mediaType, digest, size = 0 } = subject;
  return encodeJsonBytes({
    schemaVersion: 2,
    mediaType: manifestTypes.oci,
    artifactType: simpleSigningType,
    config: described(emptyConfig),
    layers: layers.map(described),
    subject: { mediaType, digest, size },
  });
}
