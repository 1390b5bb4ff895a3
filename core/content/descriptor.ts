// Descriptors: what manifests say about content.

import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/**
 * What a manifest says about one piece of content.
 *
 * See https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes; absent where the format does not say (schema 1). */
  readonly size?: number;
  /** Where else the content may be had; a layer that has some is a foreign one. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** In entries of a list: which platform the image is for. */
  readonly platform?: Platform;
  readonly artifactType?: string;
  /** The content itself, as base64, where it is embedded. Carried along, never believed. */
  readonly data?: string;
}
