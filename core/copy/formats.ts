// Formats: the manifest types that one image may be written in.

import {
  type CompressionFormat,
  isListType,
  isManifestType,
  isSchema1,
  type ManifestType,
  manifestTypes,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { DestinationTraits } from "../image/destination.ts";
import { canConvert } from "../manifest/convert.ts";

/** What choosing a manifest type rests on. */
export interface FormatWish {
  /** The image's own. */
  readonly own: ManifestType;
  readonly traits: DestinationTraits;
  readonly frozenBecause: string | undefined;
  /** The type asked for; absent: the source's, with fallbacks. */
  readonly format: ManifestType | undefined;
  /** What the manifest has to be able to tell of, because it was asked for. */
  readonly compression: CompressionFormat | undefined;
  /** Whether it has to be able to tell of encrypted layers. */
  readonly encrypted: boolean;
}

/**
 * Returns the manifest types to try, best first, as the original chooses them. Fails with `unsupported` if
 * there is none.
 */
export function planFormats(wish: FormatWish): readonly [ManifestType, ...ManifestType[]] {
  const { own, traits, frozenBecause, format, compression, encrypted } = wish;
  const accepted = acceptedTypes(wish);
  const able = accepted.filter(
    (type) => tellsOf(type, compression) && (!encrypted || type === manifestTypes.oci),
  );
  // Also where nothing may change, as in the original.
  if ((compression !== undefined || encrypted) && able.length === 0) throw untold(wish);
  // Scripts depend on it: a format that cannot be had without a change is silently not had.
  if (frozenBecause !== undefined) return [own];
  const { schema1Signed, schema2 } = manifestTypes;
  // What differs in the signature alone is closest.
  const preferred = isSchema1(own) ? [own, schema1Signed, schema2] : [own, schema2, schema1Signed];
  const ordered = [...preferred.filter((type) => able.includes(type)), ...able];
  const possible = ordered.filter(
    (type) => type === own || type === format || canConvert(own, type),
  );
  const [best, ...others] = new Set(possible);
  if (best !== undefined) return [best, ...others];
  throw new Failure(
    "unsupported",
    `Cannot write a manifest of type ${own}: the destination takes only ${traits.manifestTypes.join(", ")}`,
  );
}

/** Returns the types that a destination takes, but for the image's own, and that the image could become. */
export function otherFormats(
  own: ManifestType,
  traits: DestinationTraits,
): readonly ManifestType[] {
  const accepted = acceptedTypes({ traits, format: undefined });
  return accepted.filter((type) => type !== own && canConvert(own, type));
}

function acceptedTypes({
  traits,
  format,
}: Pick<FormatWish, "traits" | "format">): readonly ManifestType[] {
  if (format !== undefined) return [format];
  const { manifestTypes: accepted } = traits;
  if (accepted.length === 0) return everyImageType;
  return accepted.filter(isManifestType).filter((type) => !isListType(type));
}

const everyImageType: readonly ManifestType[] = [
  manifestTypes.oci,
  manifestTypes.schema2,
  manifestTypes.schema1Signed,
  manifestTypes.schema1,
];

/** Tells whether a manifest of this type has words for layers that are compressed so. */
export function tellsOf(type: ManifestType, compression: CompressionFormat | undefined): boolean {
  switch (compression) {
    case undefined:
    case "gzip":
      return true;
    case "zstd":
    case "zstd:chunked":
      return type === manifestTypes.oci;
    case "bzip2":
    case "Xz":
      return false;
  }
}

function untold({ compression, encrypted, traits, format }: FormatWish): Failure {
  // There is no format that could not tell of gzip.
  const compressing =
    compression !== undefined && compression !== "gzip" && `compression using ${compression}`;
  const both = compressing && encrypted;
  const required = both
    ? `${compressing}, and encryption, required`
    : `${compressing || "encryption"} required`;
  const what = both ? "both" : compressing ? "it" : "encryption";
  if (format !== undefined) {
    return new Failure(
      "unsupported",
      `${required} together with format ${format}, which does not support ${what}`,
    );
  }
  const taken = traits.manifestTypes.join(", ");
  return new Failure(
    "unsupported",
    taken === ""
      ? `${required}, but none of the known manifest formats support ${what}`
      : `${required} but the destination only supports MIME types [${taken}], none of which support ${what}`,
  );
}
