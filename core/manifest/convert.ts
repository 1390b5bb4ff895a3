// Conversion: the manifest of an image in another format, or with its layers changed, or both.

import type { Descriptor } from "../content/descriptor.ts";
import { digestOf } from "../content/digest.ts";
import {
  configTypes,
  dockerZstdLayer,
  layerFamilies,
  type ManifestType,
  manifestTypes,
} from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import type { RawManifest } from "../image/source.ts";
import { encodeJson, parseStrictJson } from "../json.ts";
import { readImageConfig, writeOciConfig } from "./config.ts";
import { ociDescriptor } from "./descriptor-json.ts";
import { Members } from "./members.ts";
import { readOciManifest, writeOciManifest } from "./oci.ts";
import { readSchema2, writeSchema2 } from "./schema2.ts";
import type { ImageManifest } from "./types.ts";

/** What an image is to become. */
export interface ImageChange {
  /** The type to write: one of an image, not of a list. */
  readonly to: ManifestType;
  /**
   * What the layers became, as many and in the same order, with media types of the format that the image
   * has now. Absent where they stay.
   */
  readonly layers?: readonly Descriptor[];
  /** The image's config, verified. Only needed where the format changes. */
  readonly config: Uint8Array;
}

/** An image as it is to be written. */
export interface RewrittenImage {
  readonly manifest: RawManifest;
  /** The config that the manifest names, where it is not the image's own with its own media type. */
  readonly config?: RewrittenConfig;
}

/** A config as it is to be stored. */
export interface RewrittenConfig {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** Tells whether an image of one type can be written as the other. Whatever its content, that is. */
export function canConvert(from: ManifestType, to: ManifestType): boolean {
  return from === to || (convertible.has(from) && convertible.has(to));
}

/**
 * Returns the manifest of an image with its layers changed, or in another format, or both.
 *
 * Where nothing changes, that is the very RawManifest it was parsed from. Fails with `unsupported` if the
 * other format cannot say what the image is, and with `corrupt` if its config cannot be understood.
 */
export function rewriteImage(image: ImageManifest, change: ImageChange): RewrittenImage {
  const { to } = change;
  const layers = layersIfChanged(image, change.layers);
  if (to === image.mediaType && layers === undefined) return { manifest: image.raw };
  if (image.mediaType === manifestTypes.oci && to === manifestTypes.oci) {
    const manifest = readOciManifest(membersOf(image));
    return { manifest: rawOf(to, writeOciManifest({ ...manifest, ...(layers && { layers }) })) };
  }
  if (image.mediaType === manifestTypes.schema2 && to === manifestTypes.schema2) {
    const manifest = readSchema2(membersOf(image));
    return { manifest: rawOf(to, writeSchema2({ ...manifest, ...(layers && { layers }) })) };
  }
  if (image.mediaType === manifestTypes.schema2 && to === manifestTypes.oci) {
    return schema2ToOci(layers ?? image.layers, change.config);
  }
  if (image.mediaType === manifestTypes.oci && to === manifestTypes.schema2) {
    return ociToSchema2(image, layers ?? image.layers, change.config);
  }
  throw new Failure(
    "unsupported",
    `Conversion of image manifest from ${image.mediaType} to ${to} is not implemented`,
  );
}

const convertible: ReadonlySet<string> = new Set([manifestTypes.schema2, manifestTypes.oci]);

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
  if (layers.length !== image.layers.length) {
    throw new Failure(
      "bug",
      `An image of ${image.layers.length} layers was to be written with ${layers.length}`,
    );
  }
  const plain = layers.map(plainLayer);
  return spelled(plain) === spelled(image.layers.map(plainLayer)) ? undefined : plain;
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

function schema2ToOci(layers: readonly Descriptor[], config: Uint8Array): RewrittenImage {
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
    layers: layers.map(({ mediaType, digest, size, urls }) => ({
      mediaType: converted(mediaType, dockerToOci),
      digest,
      ...(size !== undefined && { size }),
      ...(urls !== undefined && { urls }),
    })),
  });
  return { manifest: rawOf(manifestTypes.oci, manifest), config: { bytes, descriptor } };
}

function ociToSchema2(
  image: ImageManifest,
  layers: readonly Descriptor[],
  bytes: Uint8Array,
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

function imageConfigOf({ config }: ImageManifest): Descriptor {
  const mediaType = config?.mediaType ?? "";
  if (config !== undefined && mediaType === configTypes.oci) return config;
  const quoted = JSON.stringify(mediaType);
  throw new Failure(
    "unsupported",
    mediaType === configTypes.docker
      ? `invalid mixed OCI image with Docker v2s2 config (${quoted})`
      : `unsupported image-specific operation on artifact with type ${quoted}`,
  );
}

const { docker, dockerNondistributable, oci, ociNondistributable } = layerFamilies;

const dockerToOci: ReadonlyMap<string, string> = new Map([
  [docker.none, oci.none],
  [docker.gzip, oci.gzip],
  [dockerZstdLayer, oci.zstd],
  [dockerNondistributable.none, ociNondistributable.none],
  [dockerNondistributable.gzip, ociNondistributable.gzip],
]);

const ociToDocker: ReadonlyMap<string, string> = new Map([
  [oci.none, docker.none],
  [oci.gzip, docker.gzip],
  [ociNondistributable.none, dockerNondistributable.none],
  [ociNondistributable.gzip, dockerNondistributable.gzip],
]);

function converted(mediaType: string, types: ReadonlyMap<string, string>): string {
  const type = types.get(mediaType);
  if (type !== undefined) return type;
  throw new Failure("unsupported", whyNotConverted(mediaType));
}

function whyNotConverted(mediaType: string): string {
  const quoted = JSON.stringify(mediaType);
  switch (mediaType) {
    case oci.zstd:
      return `Error during manifest conversion: ${quoted}: zstd compression is not officially supported for docker images`;
    case ociNondistributable.zstd:
      return `Error during manifest conversion: ${quoted}: zstd compression is not supported for docker images`;
    default:
      return mediaType.endsWith("+encrypted")
        ? `during manifest conversion: encrypted layers (${quoted}) are not supported in docker images`
        : `Unknown media type during manifest conversion: ${quoted}`;
  }
}
