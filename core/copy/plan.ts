// The plan of one image: decides everything, moves nothing.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import {
  type ManifestType,
  hasVariants,
  isListType,
  isManifestType,
  manifestTypes,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { BlobRole, DestinationTraits } from "../image/destination.ts";
import { limits } from "../limits.ts";
import { canConvert } from "../manifest/convert.ts";
import type { ImageManifest } from "../manifest/types.ts";

/** What planning one image rests on. */
export interface PlanInput {
  readonly manifest: ImageManifest;
  readonly traits: DestinationTraits;
  /** Why the manifest must stay as it is, in words; absent where it may change. */
  readonly frozenBecause: string | undefined;
  /** The manifest type asked for; absent: the source's, with fallbacks. */
  readonly format: ManifestType | undefined;
}

/** What will happen to one image. */
export interface ImagePlan {
  readonly frozenBecause: string | undefined;
  /** Manifest types to try, best first; never empty. */
  readonly formats: readonly [ManifestType, ...ManifestType[]];
  /** What to do about each distinct blob: layers, base first, then the config unless it is converted. */
  readonly steps: readonly BlobStep[];
}

/** What will happen to one blob. */
export interface BlobStep {
  readonly blob: Descriptor;
  readonly role: BlobRole;
  /** What shall become of its compression, judged by its bytes when they come. */
  readonly recoding: "none" | "compress" | "decompress";
}

/** Plans one image. A pure function. Fails with `unsupported` if there is no way. */
export function planImage(input: PlanInput): ImagePlan {
  const { manifest, frozenBecause } = input;
  if (manifest.layers.length > limits.layers) {
    throw new Failure(
      "corrupt",
      `Image has ${manifest.layers.length} layers, more than ${limits.layers}`,
    );
  }
  const formats = planFormats(input);
  const converting = formats[0] !== manifest.mediaType;
  const layers = manifest.layers.filter((layer) => !staysForeign(layer, input.traits));
  const steps = distinct(layers).map((blob) => planLayer(blob, input));
  if (manifest.config !== undefined && !converting) {
    steps.push({ blob: manifest.config, role: "config", recoding: "none" });
  }
  return { frozenBecause, formats, steps };
}

/** Tells whether a layer stays where its URLs lead, rather than travel. */
export function staysForeign(layer: Descriptor, traits: DestinationTraits): boolean {
  return traits.keepsForeignUrls && (layer.urls?.length ?? 0) > 0;
}

function planLayer(blob: Descriptor, { traits, frozenBecause }: PlanInput): BlobStep {
  const changeable = frozenBecause === undefined && hasVariants(blob.mediaType);
  const recoding = changeable && traits.layers !== "preserve" ? traits.layers : "none";
  return { blob, role: "layer", recoding };
}

function distinct(layers: readonly Descriptor[]): Descriptor[] {
  const seen = new Set<Digest>();
  return layers.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

/** Returns the manifest types to try, best first, as the original chooses them. */
function planFormats({ manifest, traits, frozenBecause, format }: PlanInput): ImagePlan["formats"] {
  const own = manifest.mediaType;
  // Scripts depend on it: a format that cannot be had without a change is silently not had.
  if (frozenBecause !== undefined) return [own];
  const accepted = format === undefined ? imageTypesOf(traits) : [format];
  const preferred = [own, manifestTypes.schema2, manifestTypes.schema1Signed];
  const ordered = [...preferred.filter((type) => accepted.includes(type)), ...accepted];
  const possible = ordered.filter(
    (type) => type === own || type === format || canConvert(own, type),
  );
  const [best, ...others] = new Set(possible);
  if (best === undefined) {
    throw new Failure(
      "unsupported",
      `Cannot write a manifest of type ${own}: the destination takes only ${accepted.join(", ")}`,
    );
  }
  return [best, ...others];
}

const everyImageType: readonly ManifestType[] = [
  manifestTypes.oci,
  manifestTypes.schema2,
  manifestTypes.schema1Signed,
  manifestTypes.schema1,
];

function imageTypesOf({ manifestTypes: accepted }: DestinationTraits): readonly ManifestType[] {
  if (accepted.length === 0) return everyImageType;
  return accepted.filter(isManifestType).filter((type) => !isListType(type));
}
