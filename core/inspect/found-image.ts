// Found images: one image to look at, chosen for a platform, and what it says about itself.

import type { Descriptor } from "../content/descriptor.ts";
import { manifestTypes } from "../content/media-types.ts";
import type { PlatformWish } from "../content/platform.ts";
import { during, Failure } from "../failure.ts";
import { parseStrictJson } from "../json.ts";
import { limits } from "../limits.ts";
import { chooseInstance } from "../manifest/choose.ts";
import { type ImageConfig, isImageConfig, readImageConfig } from "../manifest/config.ts";
import { parseManifest } from "../manifest/manifest.ts";
import { Members } from "../manifest/members.ts";
import { readSchema1 } from "../manifest/schema1.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { Candidate } from "../trust/gate.ts";

/** One image, looked at but not carried. */
export interface FoundImage {
  readonly candidate: Candidate;
  readonly manifest: ImageManifest;
}

/** What an image says about itself. */
export interface ImageClaims {
  readonly config: ImageConfig;
  /** The tag that a schema 1 manifest says it was made for; empty in all others. */
  readonly tag: string;
}

/**
 * Finds the one image that is meant: what was found itself or, if that is a list, the image in it that
 * suits the platform. Fails with `unsupported` if none does, and with `corrupt`.
 */
export async function findImage(found: Candidate, platform: PlatformWish): Promise<FoundImage> {
  const top = parseManifest(await found.manifest());
  if (top.kind === "image") return { candidate: found, manifest: top };
  const { digest } = await during("choosing image instance", () => chooseInstance(top, platform));
  const candidate = found.pick(digest);
  const kind = top.mediaType === manifestTypes.ociIndex ? "image index" : "manifest list";
  const manifest = await during(`fetching target platform image selected from ${kind}`, async () =>
    parseManifest(await candidate.manifest()),
  );
  if (manifest.kind === "list") {
    throw new Failure(
      "corrupt",
      "Unexpectedly received a manifest list instead of a manifest for a single image",
    );
  }
  return { candidate, manifest };
}

/** Returns the config as stored, verified; nothing where the format keeps none beside the manifest. */
export async function readConfigBlob({ candidate, manifest }: FoundImage): Promise<Uint8Array> {
  const { config } = manifest;
  return config === undefined ? new Uint8Array() : candidate.look(config, limits.configBytes);
}

/**
 * Returns what an image says about itself. Fails with `corrupt`, and with `unsupported` if it is not an
 * image but an artifact that is kept like one.
 */
export async function readClaims(image: FoundImage): Promise<ImageClaims> {
  const { manifest } = image;
  if (manifest.config === undefined) {
    const { config, tag } = readSchema1(new Members(parseStrictJson(manifest.raw.bytes)));
    return { config, tag };
  }
  checkNoArtifact(manifest, manifest.config);
  return { config: readImageConfig(await readConfigBlob(image)), tag: "" };
}

function checkNoArtifact({ mediaType, artifactType }: ImageManifest, config: Descriptor): void {
  // In Docker's own format nothing but images was ever kept; its configs go by many types.
  if (mediaType !== manifestTypes.oci || isImageConfig(config)) return;
  const type = JSON.stringify(artifactType ?? config.mediaType);
  throw new Failure(
    "unsupported",
    `unsupported image-specific operation on artifact with type ${type}`,
    { hint: "--raw shows its manifest, and --config --raw its config" },
  );
}
