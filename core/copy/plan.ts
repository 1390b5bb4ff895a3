// The plan of one image: decides everything, moves nothing.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import {
  type Compression,
  type ManifestType,
  hasVariants,
  isListType,
  isManifestType,
  isSchema1,
  layerFamilies,
  manifestTypes,
  recompressedType,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { BlobRole, DestinationTraits } from "../image/destination.ts";
import { limits } from "../limits.ts";
import { canConvert, needsDiffIds } from "../manifest/convert.ts";
import { schema1Of } from "../manifest/schema1.ts";
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
  /** Whether the manifest will name its uncompressed content. */
  readonly needsDiffId: boolean;
  /** The compressions in which other bytes of the same content would do; absent: none would. */
  readonly standIns?: readonly Compression[];
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
  const [best] = formats;
  const steps = distinct(travelling(input, formats)).map((blob) => planLayer(blob, best, input));
  if (manifest.config !== undefined && best === manifest.mediaType) {
    steps.push({ blob: manifest.config, role: "config", recoding: "none", needsDiffId: false });
  }
  return { frozenBecause, formats, steps };
}

/** Tells whether a layer stays where its URLs lead, rather than travel. */
export function staysForeign(layer: Descriptor, traits: DestinationTraits): boolean {
  return traits.keepsForeignUrls && (layer.urls?.length ?? 0) > 0;
}

/** Returns the layers that are moved: all but those that stay elsewhere or will not be named. */
function travelling(
  { manifest, traits }: PlanInput,
  formats: ImagePlan["formats"],
): readonly Descriptor[] {
  if (isSchema1(manifest.mediaType)) {
    // Only schema 1 has layers that hold nothing.
    if (formats.some(isSchema1)) return manifest.layers;
    const { history } = schema1Of(manifest);
    return manifest.layers.filter((_, index) => history[index]?.throwaway === false);
  }
  // Schema 1 has no way to say that a layer is elsewhere.
  if (isSchema1(formats[0])) return manifest.layers;
  return manifest.layers.filter((layer) => !staysForeign(layer, traits));
}

function planLayer(layer: Descriptor, best: ManifestType, input: PlanInput): BlobStep {
  const { manifest, traits, frozenBecause } = input;
  // Schema 1 does not say what its layers are. They always were what Docker still makes of layers.
  const { gzip } = layerFamilies.docker;
  const blob = isSchema1(manifest.mediaType) ? { ...layer, mediaType: gzip } : layer;
  const changeable = frozenBecause === undefined && hasVariants(blob.mediaType);
  const recoding = changeable && traits.layers !== "preserve" ? traits.layers : "none";
  const needsDiffId = needsDiffIds(manifest.mediaType, best);
  const replaceable = recoding === "compress" && !needsDiffId && !isSchema1(best);
  const standIns = replaceable && { standIns: compressionsFor(blob.mediaType, best) };
  return { blob, role: "layer", recoding, needsDiffId, ...standIns };
}

/** Returns the compressions that a manifest of type `best` can tell of. */
function compressionsFor(mediaType: string, best: ManifestType): readonly Compression[] {
  const able: readonly Compression[] =
    best === manifestTypes.oci ? ["gzip", "zstd", "none"] : ["gzip", "none"];
  return able.filter((compression) => recompressedType(mediaType, compression) !== undefined);
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
  const { schema1Signed, schema2 } = manifestTypes;
  // What differs in the signature alone is closest.
  const preferred = isSchema1(own) ? [own, schema1Signed, schema2] : [own, schema2, schema1Signed];
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
