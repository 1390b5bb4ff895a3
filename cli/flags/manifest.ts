// Manifest flags: as what an image is written, and which signatures go with it.

import { type ManifestType, manifestTypes } from "../../core/content/media-types.ts";
import type { CopyRequest } from "../../core/copy/request.ts";
import { Failure } from "../../core/failure.ts";
import { maybeText, toggle, type Values } from "./flag.ts";

/** What may be said about manifests and the signatures that exist. */
export const manifestFlags = {
  format: maybeText(
    "format",
    "MANIFEST TYPE (oci, v2s1, or v2s2) to use in the destination (default is manifest type of source, with fallbacks)",
    { shorthand: "f" },
  ),
  preserveDigests: toggle("preserve-digests", "Preserve digests of images and lists"),
  removeSignatures: toggle("remove-signatures", "Do not copy signatures from source"),
  removeListSignatures: toggle(
    "remove-list-signatures",
    "Do not copy manifest list signatures (preserves per-instance signatures)",
  ),
};

/** What the manifest flags say. */
export type ManifestValues = Values<typeof manifestFlags>;

/** What the manifest flags ask of a copy. */
export type ManifestWish = Pick<CopyRequest, "format" | "preserveDigests" | "signatures">;

/** Turns the flags into what they ask for. Fails with `usage`, in the original's words. */
export function manifestWish(said: ManifestValues): ManifestWish {
  const format = formatOf(said.format);
  return {
    ...(format !== undefined && { format }),
    preserveDigests: said.preserveDigests,
    signatures: signaturesOf(said),
  };
}

const formats: Readonly<Record<string, ManifestType>> = {
  oci: manifestTypes.oci,
  v2s1: manifestTypes.schema1Signed,
  v2s2: manifestTypes.schema2,
};

function formatOf(name: string | undefined): ManifestType | undefined {
  if (name === undefined) return undefined;
  const type = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (type !== undefined) return type;
  throw usage(
    `unknown format ${JSON.stringify(name)}. Choose one of the supported formats: 'oci', 'v2s1', or 'v2s2'`,
  );
}

function signaturesOf(said: ManifestValues): CopyRequest["signatures"] {
  const { removeSignatures, removeListSignatures } = said;
  if (removeSignatures && removeListSignatures) {
    throw usage("Only one of --remove-signatures and --remove-list-signatures can be specified");
  }
  if (removeListSignatures) return "remove-from-list";
  return removeSignatures ? "remove" : "copy";
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
