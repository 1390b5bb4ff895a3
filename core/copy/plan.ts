// The plan of one image: decides everything, moves nothing.

import { isChunked } from "../content/chunked-layer.ts";
import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import { decryptedType, isEncryptedType } from "../content/encrypted-layer.ts";
import {
  type LayerForm,
  compressionOfType,
  type CompressionFormat,
  configTypes,
  type ManifestType,
  hasVariants,
  isSchema1,
  layerFamilies,
  manifestTypes,
  type WrittenFormat,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { BlobRole, DestinationTraits } from "../image/destination.ts";
import { limits } from "../limits.ts";
import { needsDiffIds } from "../manifest/convert.ts";
import { schema1Of } from "../manifest/schema1.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { CompressionWish } from "./compression-wish.ts";
import { type CryptWish, cryptedLayers } from "./layer-crypt.ts";
import { planFormats, tellsOf } from "./formats.ts";

/** What planning one image rests on. */
export interface PlanInput {
  readonly manifest: ImageManifest;
  readonly traits: DestinationTraits;
  /** Why the manifest must stay as it is, in words; absent where it may change. */
  readonly frozenBecause: string | undefined;
  /** The manifest type asked for; absent: the source's, with fallbacks. */
  readonly format: ManifestType | undefined;
  /** How layers shall be compressed; absent: as they are, and with gzip where they are not. */
  readonly compression?: CompressionWish | undefined;
  /** What shall become of the encryption of layers; absent: it stays. */
  readonly crypt?: CryptWish | undefined;
  /** Whether the image will be signed: then its layers are those that were read, or made of them. */
  readonly signing?: boolean;
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
  readonly recoding: Recoding;
  /** Whether it is encrypted last of all, or decrypted before all else; absent: neither. */
  readonly crypt?: CryptWish["kind"];
  /** Whether the manifest will name its uncompressed content. */
  readonly needsDiffId: boolean;
  /** Whether the blob will do as it is, if the destination has it. */
  readonly reusable: boolean;
  /** The forms in which other bytes of the same content would do; absent: none would. */
  readonly standIns?: readonly LayerForm[];
}

/** What shall become of a blob's compression. */
export type Recoding =
  | { readonly kind: "none" }
  | { readonly kind: "decompress" }
  | {
      readonly kind: "compress";
      readonly to: WrittenFormat;
      /** Absent: the format's usual one. */
      readonly level?: number;
      /** Whether what is compressed otherwise is compressed anew. */
      readonly anew: boolean;
    };

/** Plans one image. A pure function. Fails with `unsupported` if there is no way. */
export function planImage(input: PlanInput): ImagePlan {
  const { manifest, frozenBecause } = input;
  if (manifest.layers.length > limits.layers) {
    throw new Failure(
      "corrupt",
      `Image has ${manifest.layers.length} layers, more than ${limits.layers}`,
    );
  }
  const crypted = cryptedLayers(manifest.layers, input.crypt);
  checkMayCrypt(crypted, input);
  const encrypted = leavesEncrypted(crypted, input);
  const formats = planFormats({
    own: manifest.mediaType,
    traits: input.traits,
    frozenBecause,
    format: input.format,
    compression: input.compression?.format,
    encrypted,
  });
  if (encrypted) checkMayStayEncrypted(input);
  const [best] = formats;
  const steps = distinct(travelling(input, formats)).map((layer) => {
    const step = planLayer(layer, formats, input);
    return crypted.has(layer.digest) ? cryptedStep(step, input) : step;
  });
  if (manifest.config !== undefined && best === manifest.mediaType) {
    steps.push(asIs(manifest.config, "config"));
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

/** Returns the step of a blob that is moved, if it has to be, and stays what it is. */
export function asIs(blob: Descriptor, role: BlobRole): BlobStep {
  return { blob, role, recoding: { kind: "none" }, needsDiffId: false, reusable: true };
}

function planLayer(layer: Descriptor, formats: ImagePlan["formats"], input: PlanInput): BlobStep {
  const { manifest, compression, signing = false } = input;
  const [best] = formats;
  // Schema 1 does not say what its layers are. They always were what Docker still makes of layers.
  const { gzip } = layerFamilies.docker;
  const blob = isSchema1(manifest.mediaType) ? { ...layer, mediaType: gzip } : layer;
  const recoding = recodingOf(blob, input);
  const needsDiffId = needsDiffIds(manifest.mediaType, best);
  const required = compression?.exclusive === true ? compression.format : undefined;
  // The manifest says how it is compressed; that of schema 1 does not.
  const wanted = required === undefined || recoding.kind === "none" || isIn(required, layer);
  const reusable = wanted && isTold(layer, formats, manifest.mediaType);
  // No config says what the layers of schema 1 hold.
  const said = !isSchema1(manifest.mediaType);
  const replaceable = recoding.kind === "compress" && said && !signing;
  const standIns = replaceable && { standIns: formsFor(best, required) };
  return { blob, role: "layer", recoding, needsDiffId, reusable, ...standIns };
}

/** Tells whether the manifest will have to say of a layer that it is encrypted. */
function leavesEncrypted(crypted: ReadonlySet<Digest>, { manifest, crypt }: PlanInput): boolean {
  if (crypt?.kind === "encrypt" && crypted.size > 0) return true;
  return manifest.layers.some(
    ({ digest, mediaType }) => isEncryptedType(mediaType) && !crypted.has(digest),
  );
}

function checkMayCrypt(crypted: ReadonlySet<Digest>, { frozenBecause, crypt }: PlanInput): void {
  const [first] = crypted;
  if (first === undefined || frozenBecause === undefined) return;
  throw new Failure(
    "unsupported",
    `layer ${first} should be ${crypt?.kind}ed, but we can’t modify the manifest: ${frozenBecause}`,
  );
}

function checkMayStayEncrypted({ traits, crypt }: PlanInput): void {
  if (traits.refusesEncryption === undefined) return;
  throw new Failure("unsupported", traits.refusesEncryption, {
    hint:
      crypt?.kind === "encrypt"
        ? "to copy the image there, leave out --encryption-key"
        : "to decrypt them on the way, name a key with --decryption-key",
    side: "destination",
  });
}

/** No other bytes will do: nobody else has encrypted with this key. */
function cryptedStep({ standIns: _, ...step }: BlobStep, input: PlanInput): BlobStep {
  const { crypt } = input;
  if (crypt === undefined) throw new Failure("bug", "Layers were to be encrypted for nobody");
  const { blob } = step;
  const plain = { ...blob, mediaType: decryptedType(blob.mediaType) };
  const recoding = recodingOf(plain, input);
  return { ...step, recoding, crypt: crypt.kind, reusable: false };
}

function recodingOf(layer: Descriptor, input: PlanInput): Recoding {
  const { traits, frozenBecause, compression } = input;
  if (frozenBecause !== undefined || !isRecodable(layer, input)) return { kind: "none" };
  switch (traits.layers) {
    case "preserve":
      return { kind: "none" };
    case "decompress":
      return { kind: "decompress" };
    case "compress": {
      const { format, level } = compression ?? {};
      const more = level === undefined ? {} : { level };
      return { kind: "compress", to: written(format), ...more, anew: format !== undefined };
    }
  }
}

/** What an artifact consists of stays as it is, also where it calls it layers. */
function isRecodable({ mediaType }: Descriptor, { manifest }: PlanInput): boolean {
  const isArtifact =
    manifest.mediaType === manifestTypes.oci && manifest.config?.mediaType !== configTypes.oci;
  return !isArtifact && hasVariants(mediaType, manifest.mediaType);
}

function written(format: CompressionFormat | undefined): WrittenFormat {
  switch (format) {
    case undefined:
      return "gzip";
    case "bzip2":
    case "Xz":
      throw new Failure("bug", `Layers were to be compressed with ${format}`);
    case "gzip":
    case "zstd":
    case "zstd:chunked":
      return format;
  }
}

/** Tells whether there will be a word for a layer's compression, if it stays. The image's own has one. */
function isTold(
  { mediaType }: Descriptor,
  formats: ImagePlan["formats"],
  own: ManifestType,
): boolean {
  const compression = compressionOfType(mediaType);
  if (compression === undefined || compression === "none") return true;
  return formats.some((type) => type === own || tellsOf(type, compression));
}

/** Tells whether a layer is known to be compressed with a format. What is chunked is zstd, too. */
function isIn(format: CompressionFormat, layer: Descriptor): boolean {
  const compression = compressionOfType(layer.mediaType);
  return format === "zstd:chunked"
    ? compression === "zstd" && isChunked(layer)
    : compression === format;
}

/** Returns the forms that a manifest of type `best` can tell of or, if one is required, that one. */
function formsFor(
  best: ManifestType,
  required: CompressionFormat | undefined,
): readonly LayerForm[] {
  // What is chunked is zstd, too.
  if (required !== undefined) return [written(required)];
  return best === manifestTypes.oci ? ["gzip", "zstd", "none"] : ["gzip", "none"];
}

function distinct(layers: readonly Descriptor[]): Descriptor[] {
  const seen = new Set<Digest>();
  return layers.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}
