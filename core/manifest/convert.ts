// Conversion: the manifest of an image in another format, or with its layers changed, or both.

import type { Descriptor } from "../content/descriptor.ts";
import { type Digest, digestOf } from "../content/digest.ts";
import { decryptedType, encryptedType, isEncryptedType } from "../content/encrypted-layer.ts";
import {
  compressionOfType,
  configTypes,
  isListType,
  isSchema1,
  layerFamilies,
  type ManifestType,
  manifestTypes,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { encodeJson, parseStrictJson } from "../json.ts";
import { readImageConfig, writeOciConfig } from "./config.ts";
import { ociDescriptor } from "./descriptor-json.ts";
import { configFromSchema1 } from "./from-schema1.ts";
import { Members } from "./members.ts";
import { readOciManifest, writeOciManifest } from "./oci.ts";
import { type EmbeddedName, type Schema1Manifest, schema1Of, writeSchema1 } from "./schema1.ts";
import { readSchema2, writeSchema2 } from "./schema2.ts";
import { emptyLayer, toSchema1 } from "./to-schema1.ts";
import type { ImageManifest } from "./types.ts";

/** What an image is to become. */
export interface ImageChange {
  /** The type to write: one of an image, not of a list. */
  readonly to: ManifestType;
  /**
   * What the layers became, as many and in the same order, with media types of the format that the image
   * has now; those of schema 2 for schema 1, which has none of its own. Absent where they stay, but an
   * image leaves schema 1 only with layers whose size is known.
   */
  readonly layers?: readonly Descriptor[];
  /** For each layer of a schema 1 image its uncompressed digest. Only needed by `needsDiffIds`. */
  readonly diffIds?: ReadonlyMap<Digest, Digest>;
  /** What a schema 1 manifest shall say which image it is. Absent where it stays, or says nothing. */
  readonly name?: EmbeddedName;
  /** The image's config, verified. Only needed where the format changes. */
  readonly config: Uint8Array;
}

/** An image as it is to be written. */
export interface RewrittenImage {
  /** One of schema 1 that is new comes without the signature that registries ask for. */
  readonly manifest: RawManifest;
  /** The config that the manifest names, where it is not the image's own with its own media type. */
  readonly config?: RewrittenBlob;
  /** A layer that the manifest names, where the image has had none like it: an empty one. */
  readonly emptyLayer?: RewrittenBlob;
}

/** A blob as it is to be stored. */
export interface RewrittenBlob {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** Tells whether an image of one type can be written as the other. Whatever its content, that is. */
export function canConvert(from: ManifestType, to: ManifestType): boolean {
  return from === to || !(isListType(from) || isListType(to));
}

/** Tells whether a conversion asks for the digests of the uncompressed layers. */
export function needsDiffIds(from: ManifestType, to: ManifestType): boolean {
  return isSchema1(from) && !isSchema1(to);
}

/**
 * Returns the manifest of an image with its layers changed, or in another format, or both.
 *
 * Where nothing changes, that is the very RawManifest it was parsed from. Fails with `unsupported` if the
 * other format cannot say what the image is, and with `corrupt` if its config cannot be understood.
 */
export function rewriteImage(image: ImageManifest, change: ImageChange): RewrittenImage {
  const { to } = change;
  const from = image.mediaType;
  if (isListType(to)) {
    throw new Failure(
      "unsupported",
      `Conversion of image manifest from ${from} to ${to} is not implemented`,
    );
  }
  if (isSchema1(from)) return rewriteSchema1(image, change);
  const layers = layersIfChanged(image, change.layers);
  if (from === to && layers === undefined) return { manifest: image.raw };
  const changed = { ...change, layers: layers ?? image.layers };
  if (isSchema1(to)) return laterToSchema1(image, changed);
  if (from === manifestTypes.oci) {
    return from === to ? changedOci(image, changed) : ociToSchema2(image, changed);
  }
  return from === to ? changedSchema2(image, changed) : schema2ToOci(changed);
}

/** A change that says what the layers are, changed or not. */
interface WholeChange extends ImageChange {
  readonly layers: readonly Descriptor[];
}

function changedOci(image: ImageManifest, { layers }: WholeChange): RewrittenImage {
  const manifest = readOciManifest(membersOf(image));
  return { manifest: rawOf(manifestTypes.oci, writeOciManifest({ ...manifest, layers })) };
}

function changedSchema2(image: ImageManifest, { layers }: WholeChange): RewrittenImage {
  for (const [index, { mediaType, digest }] of layers.entries()) {
    const was = image.layers[index];
    const same = was?.digest === digest && was.mediaType === mediaType;
    if (compressionOfType(mediaType) !== "zstd" || same) continue;
    throw new Failure(
      "unsupported",
      `preparing updated manifest, layer "${was?.digest}": zstd compression is not supported for type ${JSON.stringify(was?.mediaType)}`,
    );
  }
  const manifest = readSchema2(membersOf(image));
  return { manifest: rawOf(manifestTypes.schema2, writeSchema2({ ...manifest, layers })) };
}

function rewriteSchema1(image: ImageManifest, change: ImageChange): RewrittenImage {
  const manifest = schema1Of(image);
  const { to, layers = image.layers, diffIds } = change;
  checkCount(image, layers);
  if (isSchema1(to)) return changedSchema1(image, manifest, change);
  const lasting = layers.filter((_, index) => manifest.history[index]?.throwaway === false);
  const bytes = configFromSchema1(
    manifest,
    image.layers
      .filter((_, index) => manifest.history[index]?.throwaway === false)
      .map(({ digest }) => knownDiffId(digest, diffIds)),
  );
  if (to === manifestTypes.oci) return schema2ToOci({ ...change, layers: lasting, config: bytes });
  checkDockerTypes(lasting);
  const descriptor = { mediaType: configTypes.docker, digest: digestOf(bytes), size: bytes.length };
  const written = writeSchema2({ config: descriptor, layers: lasting.map(plainLayer) });
  return { manifest: rawOf(manifestTypes.schema2, written), config: { bytes, descriptor } };
}

function knownDiffId(layer: Digest, diffIds: ReadonlyMap<Digest, Digest> | undefined): Digest {
  const diffId = diffIds?.get(layer);
  if (diffId !== undefined) return diffId;
  throw new Failure("bug", `Layer ${layer} was to be named in a config without having been read`);
}

function changedSchema1(
  image: ImageManifest,
  manifest: Schema1Manifest,
  { to, layers = image.layers, name = manifest }: ImageChange,
): RewrittenImage {
  const same =
    to === image.mediaType &&
    name.name === manifest.name &&
    name.tag === manifest.tag &&
    layers.every(({ digest }, index) => digest === image.layers[index]?.digest);
  if (same) return { manifest: image.raw };
  const steps = layers.map(({ digest }, index) => ({
    blob: digest,
    text: manifest.history[index]?.text ?? "",
  }));
  const { architecture } = manifest;
  const bytes = writeSchema1({ name: name.name, tag: name.tag, architecture, steps });
  return { manifest: rawOf(manifestTypes.schema1, bytes) };
}

function laterToSchema1(image: ImageManifest, change: WholeChange): RewrittenImage {
  const { layers, config, name = { name: "", tag: "" } } = change;
  if (image.mediaType === manifestTypes.oci) {
    imageConfigOf(image);
    for (const { mediaType } of layers) converted(mediaType, ociToDocker);
  } else {
    checkDockerTypes(layers);
  }
  const written = toSchema1({
    config,
    name,
    layers: layers.map(({ digest }, index) => ({
      was: image.layers[index]?.digest ?? digest,
      stored: digest,
    })),
  });
  const manifest = rawOf(manifestTypes.schema1, written.bytes);
  return { manifest, ...(written.needsEmptyLayer && { emptyLayer }) };
}

/** What Docker's formats of old have no name for is not passed off as something else. */
function checkDockerTypes(layers: readonly Descriptor[]): void {
  const odd = layers.find(({ mediaType }) => compressionOfType(mediaType) === "zstd");
  if (odd !== undefined) throw new Failure("unsupported", whyNotConverted(odd.mediaType));
}

function membersOf(image: ImageManifest): Members {
  return new Members(parseStrictJson(image.raw.bytes));
}

function rawOf(mediaType: ManifestType, bytes: Uint8Array): RawManifest {
  return { mediaType, bytes };
}

/** Changed layers say no more than the original lets them: what else was said was said of other bytes. */
function layersIfChanged(
  image: ImageManifest,
  layers: readonly Descriptor[] | undefined,
): readonly Descriptor[] | undefined {
  if (layers === undefined) return undefined;
  checkCount(image, layers);
  const plain = layers.map(plainLayer);
  return spelled(plain) === spelled(image.layers.map(plainLayer)) ? undefined : plain;
}

function checkCount(image: ImageManifest, layers: readonly Descriptor[]): void {
  if (layers.length === image.layers.length) return;
  throw new Failure(
    "bug",
    `An image of ${image.layers.length} layers was to be written with ${layers.length}`,
  );
}

function plainLayer({ mediaType, digest, size, urls, annotations }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    ...(size !== undefined && { size }),
    ...(urls !== undefined && { urls }),
    ...(annotations !== undefined && { annotations }),
  };
}

function spelled(layers: readonly Descriptor[]): string {
  return encodeJson(layers.map(ociDescriptor));
}

function schema2ToOci({ layers, config }: WholeChange): RewrittenImage {
  // What is no part of an OCI config vanishes, so the config usually gets another digest.
  const bytes = writeOciConfig(readImageConfig(config));
  const descriptor = {
    mediaType: configTypes.oci,
    digest: digestOf(bytes),
    size: bytes.length,
  };
  const manifest = writeOciManifest({
    schemaVersion: 2,
    mediaType: manifestTypes.oci,
    config: descriptor,
    layers: layers.map(({ mediaType, digest, size, urls, annotations }) => ({
      mediaType: converted(mediaType, dockerToOci),
      digest,
      ...(size !== undefined && { size }),
      ...(urls !== undefined && { urls }),
      ...(annotations !== undefined && { annotations }),
    })),
  });
  return { manifest: rawOf(manifestTypes.oci, manifest), config: { bytes, descriptor } };
}

function ociToSchema2(
  image: ImageManifest,
  { layers, config: bytes }: WholeChange,
): RewrittenImage {
  const config = imageConfigOf(image);
  const descriptor = { ...config, mediaType: configTypes.docker };
  const manifest = writeSchema2({
    config: descriptor,
    layers: layers.map((layer) => ({
      ...layer,
      mediaType: converted(layer.mediaType, ociToDocker),
    })),
  });
  return { manifest: rawOf(manifestTypes.schema2, manifest), config: { bytes, descriptor } };
}

function imageConfigOf({ config, artifactType }: ImageManifest): Descriptor {
  const mediaType = config?.mediaType ?? "";
  if (config !== undefined && mediaType === configTypes.oci) return config;
  throw new Failure(
    "unsupported",
    mediaType === configTypes.docker
      ? `invalid mixed OCI image with Docker v2s2 config (${JSON.stringify(mediaType)})`
      : `unsupported image-specific operation on artifact with type ${JSON.stringify(artifactType ?? mediaType)}`,
  );
}

const { docker, dockerNondistributable, oci, ociNondistributable } = layerFamilies;

const dockerToOci: ReadonlyMap<string, string> = new Map([
  [docker.none, oci.none],
  [docker.gzip, oci.gzip],
  [docker.zstd, oci.zstd],
  [dockerNondistributable.none, ociNondistributable.none],
  [dockerNondistributable.gzip, ociNondistributable.gzip],
  [dockerNondistributable.zstd, ociNondistributable.zstd],
]);

const ociToDocker: ReadonlyMap<string, string> = new Map([
  [oci.none, docker.none],
  [oci.gzip, docker.gzip],
  [ociNondistributable.none, dockerNondistributable.none],
  [ociNondistributable.gzip, dockerNondistributable.gzip],
]);

function converted(mediaType: string, types: ReadonlyMap<string, string>): string {
  // A layer that was encrypted on the way; Docker's own manifests have no word for that.
  if (types === dockerToOci && isEncryptedType(mediaType)) {
    return encryptedType(converted(decryptedType(mediaType), types));
  }
  const type = types.get(mediaType);
  if (type !== undefined) return type;
  throw new Failure("unsupported", whyNotConverted(mediaType));
}

function whyNotConverted(mediaType: string): string {
  const quoted = JSON.stringify(mediaType);
  switch (mediaType) {
    case oci.zstd:
    case docker.zstd:
      return `Error during manifest conversion: ${quoted}: zstd compression is not officially supported for docker images`;
    case ociNondistributable.zstd:
    case dockerNondistributable.zstd:
      return `Error during manifest conversion: ${quoted}: zstd compression is not supported for docker images`;
    default:
      return isEncryptedType(mediaType)
        ? `during manifest conversion: encrypted layers (${quoted}) are not supported in docker images`
        : `Unknown media type during manifest conversion: ${quoted}`;
  }
}
