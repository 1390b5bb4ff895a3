// Summaries: what is worth knowing of one image, at a glance.

import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../content/digest.ts";
import { manifestTypes } from "../content/media-types.ts";
import type { RawManifest } from "../image/source.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { ImageClaims } from "./found-image.ts";

/** One layer of an image, by what its manifest says. */
export interface LayerSummary {
  /** Empty in schema 1. */
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes; absent where the manifest does not say. */
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is worth knowing of one image. */
export interface ImageSummary {
  /** The repository's full name; absent where the image's name has none. */
  readonly name?: string;
  /** The tag that a schema 1 manifest says it was made for; empty in all others. */
  readonly tag: string;
  /** Of what the image's name leads to: of the list, if it is one. */
  readonly digest: Digest;
  /** The tags of the repository; undefined if the registry does not disclose them. */
  readonly tags: readonly string[] | undefined;
  /** RFC 3339; undefined where an OCI config does not say. */
  readonly created: string | undefined;
  readonly dockerVersion: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly architecture: string;
  readonly os: string;
  /** Base first. In schema 1 including those that hold nothing. */
  readonly layers: readonly LayerSummary[];
  readonly env: readonly string[] | undefined;
}

/** What a summary is made of. */
export interface SummaryParts {
  /** What the image's name leads to: the list, if it is one. */
  readonly top: RawManifest;
  /** Undefined: that of the config's digest. */
  readonly algorithm: DigestAlgorithm | undefined;
  /** The repository's full name, where there is one. */
  readonly name: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly manifest: ImageManifest;
  readonly claims: ImageClaims;
}

/** Sums up an image. Fails with `corrupt` if its digest cannot be computed. */
export function summarize(parts: SummaryParts): ImageSummary {
  const { top, name, tags, manifest, claims } = parts;
  const { config, tag } = claims;
  const own = manifest.config && digestAlgorithm(manifest.config.digest);
  return {
    ...(name !== undefined && { name }),
    tag,
    digest: manifestDigest(top.bytes, parts.algorithm ?? own),
    tags,
    created: config.created ?? unsetTime(manifest),
    dockerVersion: config.dockerVersion,
    labels: config.config.labels,
    architecture: config.architecture,
    os: config.os,
    layers: manifest.layers,
    env: config.config.env,
  };
}

/** Docker's formats have no way to say that there is no time; keep what scripts compare with. */
function unsetTime({ mediaType }: ImageManifest): string | undefined {
  return mediaType === manifestTypes.oci ? undefined : "0001-01-01T00:00:00Z";
}
