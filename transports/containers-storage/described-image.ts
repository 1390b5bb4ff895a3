// Described images: what a store has to know of an image, from its manifest, its config and its layers.

import type { Descriptor } from "../../core/content/descriptor.ts";
import { type Digest, digestHex, digestOf } from "../../core/content/digest.ts";
import { isSchema1, manifestTypes } from "../../core/content/media-types.ts";
import { Failure, inContext } from "../../core/failure.ts";
import { isImageConfig, readImageConfig } from "../../core/manifest/config.ts";
import { configFromSchema1 } from "../../core/manifest/from-schema1.ts";
import { schema1Of } from "../../core/manifest/schema1.ts";
import type { ImageManifest } from "../../core/manifest/types.ts";

/** Returns the layers that have content, base first. */
export function contentLayers(manifest: ImageManifest): readonly Descriptor[] {
  if (!isSchema1(manifest.mediaType)) return manifest.layers;
  const { history } = schema1Of(manifest);
  return manifest.layers.filter((_, index) => history[index]?.throwaway !== true);
}

/** What is known of an image by its config. */
export interface DescribedImage {
  readonly id: string;
  /** Absent where nothing says. */
  readonly created?: string;
}

/**
 * Returns what a store calls an image, and when it was made. `config` are the bytes that its manifest
 * names, undefined for schema 1; `diffIds` the digests that its layers turned out to have.
 *
 * Fails with `unsupported` if it is no image but an artifact, and with `corrupt` if its config names other
 * layers.
 */
export function describeImage(
  manifest: ImageManifest,
  config: Uint8Array | undefined,
  diffIds: readonly Digest[],
): DescribedImage {
  if (manifest.config === undefined) {
    const schema1 = schema1Of(manifest);
    const made = configFromSchema1(schema1, diffIds);
    return described(digestOf(made), schema1.history.at(-1)?.created);
  }
  if (config === undefined) throw new Failure("bug", "An image was written without its config");
  checkNoArtifact(manifest);
  const { created, rootfs } = readConfig(config);
  checkDiffIds(manifest, rootfs.diffIds ?? [], diffIds);
  return described(manifest.config.digest, created);
}

const zeroTime = "0001-01-01T00:00:00Z";

function described(config: Digest, created: string | undefined): DescribedImage {
  const told = created !== undefined && created !== zeroTime;
  return { id: digestHex(config), ...(told && { created }) };
}

function checkNoArtifact({ mediaType, config, artifactType }: ImageManifest): void {
  if (mediaType !== manifestTypes.oci || config === undefined || isImageConfig(config)) return;
  const type = JSON.stringify(artifactType ?? config.mediaType);
  throw withoutConfig(
    new Failure(
      "unsupported",
      `unsupported image-specific operation on artifact with type ${type}`,
    ),
  );
}

function readConfig(bytes: Uint8Array): ReturnType<typeof readImageConfig> {
  try {
    return readImageConfig(bytes);
  } catch (error) {
    throw withoutConfig(error);
  }
}

function withoutConfig(error: unknown): Failure {
  return inContext("writing to c/storage without a valid image config", error);
}

/** Old configs name no layers at all; what they do not say cannot be wrong. */
function checkDiffIds(
  manifest: ImageManifest,
  named: readonly string[],
  actual: readonly Digest[],
): void {
  if (named.length === 0) return;
  for (const [index, diffId] of actual.entries()) {
    const wanted = named[index];
    if (wanted === undefined) {
      throw new Failure(
        "corrupt",
        `image config has only ${named.length} DiffID values, but a layer with index ${index} exists`,
      );
    }
    if (wanted === diffId) continue;
    const blob = contentLayers(manifest)[index]?.digest;
    throw new Failure(
      "corrupt",
      `layer ${index} (blob ${blob}) does not match config's DiffID ${JSON.stringify(wanted)}`,
    );
  }
}
