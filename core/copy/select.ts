// Selection: which images of a list travel, and as what kind of list.

import type { Descriptor } from "../content/descriptor.ts";
import { type ManifestType, isListType, manifestTypes } from "../content/media-types.ts";
import { platformName } from "../content/platform.ts";
import { Failure } from "../failure.ts";
import type { DestinationTraits } from "../image/destination.ts";
import { knownPlatforms } from "../manifest/choose.ts";
import type { ListManifest } from "../manifest/types.ts";
import { wouldChange } from "./frozen.ts";

/**
 * Which images of a list are meant: the one for a platform, all of them, none but the list itself, or
 * those for some platforms.
 */
export type ImageSelection = "system" | "all" | "index-only" | PlatformSelection;

/** The images for some platforms. */
export interface PlatformSelection {
  /** Each has to be that of an entry; without any, no image is meant. */
  readonly platforms: readonly PlatformFilter[];
  /** What becomes of the entries of all other images. */
  readonly others: "keep" | "strip";
}

/** Whatever is for this operating system and architecture. */
export interface PlatformFilter {
  readonly os: string;
  readonly architecture: string;
  /** Absent: any, and none. */
  readonly variant?: string;
}

/** What becomes of the entries of a list. */
export interface SelectedInstances {
  /** Those whose images travel, in the order of the list. */
  readonly travelling: readonly SelectedInstance[];
  /** Those that the list as written will not have, likewise. */
  readonly stripped: readonly SelectedInstance[];
}

/** An entry of a list, and where it stands there. */
export interface SelectedInstance extends Descriptor {
  readonly position: number;
}

/**
 * Decides which images of a list travel with it, and which entries are left out of it.
 *
 * Fails with `unsupported` if there is no image for a platform, or if no entry would be left.
 */
export function selectInstances(
  list: ListManifest,
  selection: Exclude<ImageSelection, "system">,
): SelectedInstances {
  const all = list.instances.map((instance, position) => ({ ...instance, position }));
  if (selection === "all") return { travelling: all, stripped: [] };
  if (selection === "index-only") return { travelling: [], stripped: [] };
  const { platforms, others } = selection;
  for (const filter of platforms) {
    if (all.some((instance) => suits(instance, filter))) continue;
    const known = knownPlatforms(list);
    throw new Failure("unsupported", `no instances found for platform ${platformName(filter)}`, {
      hint: known && `it has ${known}`,
    });
  }
  const travels = (instance: Descriptor) => platforms.some((filter) => suits(instance, filter));
  const travelling = all.filter(travels);
  if (others === "keep") return { travelling, stripped: [] };
  if (travelling.length === 0) {
    throw new Failure(
      "unsupported",
      "requested operation filtered out all platforms and would create an empty image",
    );
  }
  return { travelling, stripped: all.filter((instance) => !travels(instance)) };
}

/** An entry without a platform is for no operating system and no architecture. */
function suits({ platform }: Descriptor, filter: PlatformFilter): boolean {
  const { os, architecture, variant = "" } = platform ?? { os: "", architecture: "" };
  return (
    os === filter.os &&
    architecture === filter.architecture &&
    (filter.variant === undefined || filter.variant === variant)
  );
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
    const whose = format === undefined ? "the destination takes" : "what was asked for is";
    const change = `it is of type ${own}, and ${whose} ${accepted.join(", ")}`;
    throw unconvertible(best, { change, frozenBecause });
  }
  return [own];
}

/** Returns the failure of a list that has to stay and would be written as `to`, the same type or another. */
export function unconvertible(
  to: ManifestType,
  { change, frozenBecause }: { readonly change: string; readonly frozenBecause: string },
): Failure {
  return wouldChange(
    `Manifest list must be converted to type ${JSON.stringify(to)} to be written to destination, but we cannot modify it: ${JSON.stringify(frozenBecause)}`,
    change,
    frozenBecause,
  );
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
