// Selection: which images of a list travel, and as what kind of list.

import { type ManifestType, isListType, manifestTypes } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { DestinationTraits } from "../image/destination.ts";
import type { ListManifest } from "../manifest/types.ts";
import type { Descriptor } from "../content/descriptor.ts";

/** Which images of a list are meant: the one for a platform, all of them, or none but the list itself. */
export type ImageSelection = "system" | "all" | "index-only";

/** Returns the entries of a list whose images travel with it, in the order of the list. */
export function selectInstances(
  list: ListManifest,
  selection: "all" | "index-only",
): readonly Descriptor[] {
  return selection === "all" ? list.instances : [];
}

/** What choosing the type of a list rests on. */
export interface ListFormatInput {
  readonly own: ManifestType;
  readonly traits: DestinationTraits;
  /** Why the list must stay as it is, in words; absent where it may change. */
  readonly frozenBecause: string | undefined;
  /** The manifest type asked for its images; absent: any. */
  readonly format: ManifestType | undefined;
}

/** Returns the list types to try, best first. Fails with `unsupported` if there is none. */
export function listFormats(input: ListFormatInput): readonly [ManifestType, ...ManifestType[]] {
  const { own, traits, frozenBecause, format } = input;
  const accepted = format === undefined ? listTypesOf(traits) : [listTypeFor(format)];
  const [best, ...others] = accepted.includes(own)
    ? [own, ...accepted.filter((type) => type !== own)]
    : accepted;
  if (best === undefined) {
    throw new Failure(
      "unsupported",
      `determining manifest list type to write to destination: destination does not support any supported manifest list types (${everyListType.join(", ")})`,
    );
  }
  if (frozenBecause === undefined) return [best, ...others];
  if (best !== own) {
    throw new Failure(
      "unsupported",
      `Manifest list must be converted to type ${JSON.stringify(best)} to be written to destination, but we cannot modify it: ${JSON.stringify(frozenBecause)}`,
    );
  }
  return [own];
}

const everyListType: readonly ManifestType[] = [manifestTypes.dockerList, manifestTypes.ociIndex];

function listTypesOf({ manifestTypes: accepted }: DestinationTraits): readonly ManifestType[] {
  if (accepted.length === 0) return everyListType;
  return everyListType
    .filter((type) => accepted.includes(type))
    .sort((a, b) => accepted.indexOf(a) - accepted.indexOf(b));
}

function listTypeFor(format: ManifestType): ManifestType {
  if (isListType(format)) return format;
  return format === manifestTypes.oci ? manifestTypes.ociIndex : manifestTypes.dockerList;
}
