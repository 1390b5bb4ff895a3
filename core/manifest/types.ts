// What manifests are once parsed: one image, or a list of images.

import type { Descriptor } from "../content/descriptor.ts";
import type { ManifestType } from "../content/media-types.ts";
import type { RawManifest } from "../image/source.ts";

/** A parsed manifest, with the bytes it was parsed from. */
export type Manifest = ImageManifest | ListManifest;

/** The manifest of one image. */
export interface ImageManifest {
  readonly kind: "image";
  /** The effective type, not the one that the transport reported. */
  readonly mediaType: ManifestType;
  readonly raw: RawManifest;
  /** Absent in schema 1. */
  readonly config?: Descriptor;
  /** Base layer first. In schema 1 without sizes, and including empty ones. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** What an OCI artifact says it is. */
  readonly artifactType?: string;
}

/** A list of images: a Docker list or an OCI index. */
export interface ListManifest {
  readonly kind: "list";
  readonly mediaType: ManifestType;
  readonly raw: RawManifest;
  /** In the order of the list. `platform` is absent for entries without one. */
  readonly instances: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}
