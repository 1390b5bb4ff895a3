// Media types and what they imply.

/** The media types of manifests and lists. */
export const manifestTypes = {
  schema1: "application/vnd.docker.distribution.manifest.v1+json",
  schema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
  schema2: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  oci: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
} as const;

/** The media type of a manifest or list. */
export type ManifestType = (typeof manifestTypes)[keyof typeof manifestTypes];

/** The media types of image configs. */
export const configTypes = {
  docker: "application/vnd.docker.container.image.v1+json",
  oci: "application/vnd.oci.image.config.v1+json",
} as const;

/** Tells whether a media type is that of an image's config. */
export function isConfigType(mediaType: string): boolean {
  return mediaType === configTypes.docker || mediaType === configTypes.oci;
}

/** How a layer's bytes are compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** A way of compressing that somebody may ask for by its name; not all of them can be written. */
export type CompressionFormat = "gzip" | "bzip2" | "Xz" | "zstd" | "zstd:chunked";

/** The ways of compressing that can be written. */
export type WrittenFormat = Exclude<CompressionFormat, "bzip2" | "Xz">;

/** The forms that a layer can be kept in. What is `zstd:chunked` will do wherever `zstd` would. */
export type LayerForm = "none" | WrittenFormat;

interface LayerFamily {
  readonly none: string;
  readonly gzip: string;
  readonly zstd: string;
}

const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
const dockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar";
const ociLayer = "application/vnd.oci.image.layer.v1.tar";
const ociForeign = "application/vnd.oci.image.layer.nondistributable.v1.tar";

// Docker itself has no zstd types. They are only stations on the way to an OCI manifest; the first is
// found in manifests, too.
const docker = {
  none: dockerLayer,
  gzip: `${dockerLayer}.gzip`,
  zstd: `${dockerLayer}.zstd`,
} as const satisfies LayerFamily;
const dockerNondistributable = {
  none: dockerForeign,
  gzip: `${dockerForeign}.gzip`,
  zstd: `${dockerForeign}.zstd`,
} as const satisfies LayerFamily;
const oci = {
  none: ociLayer,
  gzip: `${ociLayer}+gzip`,
  zstd: `${ociLayer}+zstd`,
} as const satisfies LayerFamily;
const ociNondistributable = {
  none: ociForeign,
  gzip: `${ociForeign}+gzip`,
  zstd: `${ociForeign}+zstd`,
} as const satisfies LayerFamily;

/** The layer media types that differ only in compression, by family. */
export const layerFamilies = { docker, dockerNondistributable, oci, ociNondistributable } as const;

/** Tells whether `mediaType` is a manifest or list type. */
export function isManifestType(mediaType: string): mediaType is ManifestType {
  return Object.values<string>(manifestTypes).includes(mediaType);
}

/** Tells whether `mediaType` names a list of images. */
export function isListType(mediaType: string): boolean {
  return mediaType === manifestTypes.dockerList || mediaType === manifestTypes.ociIndex;
}

/** Tells whether `mediaType` is that of a schema 1 manifest, signed or not. */
export function isSchema1(mediaType: string): boolean {
  return mediaType === manifestTypes.schema1 || mediaType === manifestTypes.schema1Signed;
}

/** Tells whether a media type says that something is a layer of an image, in whatever form. */
export function isLayerType(mediaType: string): boolean {
  const type = mediaType.toLowerCase();
  return [dockerLayer, dockerForeign, ociLayer, ociForeign].some((layer) => type.startsWith(layer));
}

/**
 * Returns the media type of the same family with another compression.
 *
 * Undefined if the type is no layer's whose compression can change.
 */
export function recompressedType(mediaType: string, compression: Compression): string | undefined {
  return familyOf(mediaType)?.[compression];
}

/** Returns the compression that a media type tells of; undefined if it is no layer's whose type tells. */
export function compressionOfType(mediaType: string): Compression | undefined {
  const family = familyOf(mediaType);
  return compressions.find((compression) => family?.[compression] === mediaType);
}

const compressions: readonly Compression[] = ["none", "gzip", "zstd"];

/** Tells whether a layer may be stored with another compression: one of a type that its manifest knows. */
export function hasVariants(mediaType: string, manifest: ManifestType): boolean {
  const family = familyOf(mediaType);
  return manifest === manifestTypes.oci
    ? family === oci || family === ociNondistributable
    : family === docker || family === dockerNondistributable;
}

function familyOf(mediaType: string): LayerFamily | undefined {
  return Object.values<LayerFamily>(layerFamilies).find(
    (family) => family.none === mediaType || family.gzip === mediaType || family.zstd === mediaType,
  );
}
