// Choice: which image of a list is meant for a platform.

import type { Descriptor } from "../content/descriptor.ts";
import { manifestTypes } from "../content/media-types.ts";
import {
  platformName,
  type Platform,
  type PlatformWish,
  wantedPlatforms,
} from "../content/platform.ts";
import { Failure } from "../failure.ts";
import type { ListManifest } from "./types.ts";

/**
 * Returns the entry of a list that suits a wish best, by the original's order: the platforms that suit,
 * best first; in an OCI index then those compressed with zstd, and entries without a platform last.
 *
 * Fails with `unsupported` if none suits.
 */
export function chooseInstance(list: ListManifest, wish: PlatformWish): Descriptor {
  const wanted = wantedPlatforms(wish);
  const ranked = list.instances
    .map((instance) => ({ instance, rank: rankOf(instance, wanted, list) }))
    .filter(({ rank }) => rank < unsuitable);
  const [best] = ranked.sort((a, b) => a.rank - b.rank);
  if (best === undefined) throw nothingFound(list, wanted[0] ?? wish);
  return best.instance;
}

const unsuitable = Infinity;

/** Ranks by platform first. An index may hold one image twice, and says which of the two is zstd. */
function rankOf(
  { platform, annotations }: Descriptor,
  wanted: readonly PlatformWish[],
  list: ListManifest,
): number {
  const isIndex = list.mediaType === manifestTypes.ociIndex;
  const position = wanted.findIndex((wish) => platform !== undefined && suits(platform, wish));
  // Entries of a Docker list always have a platform, if only an empty one.
  const nameless = platform === undefined;
  if (position < 0 && !nameless) return unsuitable;
  const zstd = annotations?.["io.github.containers.compression.zstd"] === "true";
  return (nameless ? wanted.length : position) + (isIndex && !zstd ? 0.5 : 0);
}

function suits(platform: Platform, wish: PlatformWish): boolean {
  return (
    platform.os === wish.os &&
    platform.architecture === wish.architecture &&
    (platform.variant ?? "") === (wish.variant ?? "")
  );
}

function nothingFound(list: ListManifest, wish: PlatformWish): Failure {
  const kind = list.mediaType === manifestTypes.ociIndex ? "image index" : "manifest list";
  const { architecture, variant = "", os } = wish;
  const parts = [
    `architecture ${JSON.stringify(architecture)}`,
    `variant ${JSON.stringify(variant)}`,
    `OS ${JSON.stringify(os)}`,
  ];
  return new Failure("unsupported", `no image found in ${kind} for ${parts.join(", ")}`, {
    hint: hintFor(list),
  });
}

function hintFor(list: ListManifest): string | undefined {
  const known = knownPlatforms(list);
  if (known === undefined) return undefined;
  return `it has ${known}: choose with --override-os, --override-arch, --override-variant`;
}

/** Returns the platforms that the entries of a list name, for a person; undefined if they name none. */
export function knownPlatforms({ instances }: ListManifest): string | undefined {
  const names = instances.flatMap(({ platform }) => (platform ? [platformName(platform)] : []));
  const known = [...new Set(names)].filter((name) => name !== "/");
  if (known.length === 0) return undefined;
  return `${known.slice(0, 20).join(", ")}${known.length > 20 ? " and others" : ""}`;
}
