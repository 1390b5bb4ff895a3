// Outgoing content for tests of destinations: let in by a policy that accepts everything.

import { streamOf, type ByteStream } from "../../core/blob/stream.ts";
import { type Digest, digestOf } from "../../core/content/digest.ts";
import type { OutgoingBlob, OutgoingManifest } from "../../core/image/destination.ts";
import type { RawManifest } from "../../core/image/source.ts";
import { AdmittedImage, Candidate, Gate, type Policy } from "../../core/trust/gate.ts";
import { sourceOf } from "./source-of.ts";

const acceptsAll: Policy = {
  requirementsFor: () => [
    {
      type: "insecureAcceptAnything",
      verifiesSignatures: false,
      decide: async () => ({ allowed: true }),
    },
  ],
};

const emptyManifest: RawManifest = {
  bytes: new TextEncoder().encode('{"schemaVersion":2}'),
  mediaType: "",
};

/** Returns an image whose blobs come from `open`. */
export async function admitted(
  open: (digest: Digest) => ByteStream = () => streamOf(),
  manifest: RawManifest = emptyManifest,
): Promise<AdmittedImage> {
  const source = sourceOf(
    {},
    { readManifest: async () => manifest, openBlob: async ({ digest }) => open(digest) },
  );
  return new Gate(acceptsAll, { requireSigned: false, now: () => new Date() }).admit(
    new Candidate(source),
  );
}

/** Returns a blob on its way, of these bytes; `open` may stand in for how they are read. */
export async function outgoingBlob(
  bytes: Uint8Array,
  open: () => ByteStream = () => streamOf(bytes),
): Promise<OutgoingBlob> {
  const image = await admitted(open);
  return image.blob({
    mediaType: "application/octet-stream",
    digest: digestOf(bytes),
    size: bytes.length,
  });
}

/** Returns a blob on its way whose digest and size only its stream can tell. */
export async function openEndedBlob(bytes: Uint8Array): Promise<OutgoingBlob> {
  const blob = await outgoingBlob(bytes);
  return blob.through((stream) => stream, { mediaType: blob.mediaType });
}

/** Returns a manifest on its way. */
export async function outgoingManifest(manifest: RawManifest): Promise<OutgoingManifest> {
  return (await admitted(undefined, manifest)).publish();
}
