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

/** How a layer's bytes are compressed. */
export type Compression = "none" | "gzip" | "zstd";

interface LayerFamily {
  readonly none: string;
  readonly gzip: string;
  /** Absent in families that have no zstd type which may be written. */
  readonly zstd?: string;
}

const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
const dockerForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar";
const ociLayer = "application/vnd.oci.image.layer.v1.tar";
const ociForeign = "application/vnd.oci.image.layer.nondistributable.v1.tar";

const docker = {
  none: dockerLayer,
  gzip: `${dockerLayer}.gzip`,
} as const satisfies LayerFamily;
const dockerNondistributable = {
  none: dockerForeign,
  gzip: `${dockerForeign}.gzip`,
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

/** Read, but never written: Docker has no zstd type of its own. */
export const dockerZstdLayer = `${dockerLayer}.zstd`;

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

/**
 * Returns the media type of the same family with another compression.
 *
 * Undefined if the type is no layer's whose compression can change, or its family has no such member.
 */
export function recompressedType(mediaType: string, compression: Compression): string | undefined {
  return familyOf(mediaType)?.[compression];
}

/** Tells whether a layer of this type may be stored with another compression. */
export function hasVariants(mediaType: string): boolean {
  return familyOf(mediaType) !== undefined;
}

function familyOf(mediaType: string): LayerFamily | undefined {
  if (mediaType === dockerZstdLayer) return docker;
  return Object.values<LayerFamily>(layerFamilies).find(
    (family) => family.none === mediaType || family.gzip === mediaType || family.zstd === mediaType,
  );
}
