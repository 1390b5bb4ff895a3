// Kept layers: an image whose layers are kept in another form than its manifest lists.
//
// A store of unpacked layers can give each of them back as it was before it was compressed, and in no
// other way. So the image that travels is one with other layer digests.

import { withoutChunked } from "../content/chunked-layer.ts";
import type { Descriptor } from "../content/descriptor.ts";
import { isSchema1, layerFamilies, manifestTypes } from "../content/media-types.ts";
import { Failure, during } from "../failure.ts";
import type { KeptLayers } from "../image/source.ts";
import { diffIdsOf } from "../manifest/config.ts";
import { rewriteImage } from "../manifest/convert.ts";
import { parseManifest } from "../manifest/manifest.ts";
import { schema1Of } from "../manifest/schema1.ts";
import { emptyLayer } from "../manifest/to-schema1.ts";
import type { ImageManifest } from "../manifest/types.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import { wouldChange } from "./frozen.ts";

/** An admitted image, and what is known of how it travels. */
export interface KeptImage {
  readonly image: AdmittedImage;
  readonly manifest: ImageManifest;
  /** Why the manifest must stay as it is, in words; absent where it may change. */
  readonly frozenBecause: string | undefined;
  /** Reads the config, verified; empty for schema 1. */
  readonly readConfig: () => Promise<Uint8Array>;
}

/**
 * Returns the manifest with the layers that can be read: the very same one where those are what it lists.
 *
 * Fails with `unsupported` if it would change and must not, and with `corrupt` if what is kept are not the
 * layers that the image's config names: the policy has admitted those, and no others.
 */
export async function withKeptLayers(kept: KeptImage): Promise<ImageManifest> {
  const { image, manifest, frozenBecause, readConfig } = kept;
  const found = await image.keptLayers();
  if (found === undefined) return manifest;
  const layers = await during(
    `creating LayerInfosForCopy of image ${JSON.stringify(found.image)}`,
    () => describedLayers(manifest, found),
  );
  const same = layers.every(({ digest }, index) => digest === manifest.layers[index]?.digest);
  if (same) return manifest;
  if (frozenBecause !== undefined) {
    throw wouldChange(
      `Copying this image would require changing layer representation, which we cannot do: ${JSON.stringify(frozenBecause)}`,
      "the store keeps layers without the compression that the manifest tells of",
      frozenBecause,
    );
  }
  await checkContent(manifest, found, readConfig);
  const change = { to: manifest.mediaType, config: new Uint8Array(), layers };
  const changed = parseManifest(rewriteImage(manifest, change).manifest);
  if (changed.kind === "image") return changed;
  throw new Failure("bug", "An image has become a list");
}

function describedLayers(manifest: ImageManifest, { layers }: KeptLayers): readonly Descriptor[] {
  const empty = emptyLayersOf(manifest);
  let used = 0;
  const described = manifest.layers.map((layer, index) => {
    if (empty?.[index] === true) return { ...layer, digest: emptyLayer.descriptor.digest };
    const found = layers[used];
    if (found === undefined) {
      throw new Failure("corrupt", `expected more than ${used} physical layers to exist`);
    }
    used += 1;
    return asKept(layer, found, manifest);
  });
  if (used !== layers.length) {
    throw new Failure("corrupt", `used only ${used} out of ${layers.length} physical layers`);
  }
  return described;
}

/** Only schema 1 has layers that hold nothing, and no store keeps them. */
function emptyLayersOf(manifest: ImageManifest): readonly boolean[] | undefined {
  if (!isSchema1(manifest.mediaType)) return undefined;
  return schema1Of(manifest).history.map(({ throwaway }) => throwaway);
}

/** What the manifest says of a layer's compressed bytes goes: its URLs, and the table of its content. */
function asKept(
  layer: Descriptor,
  { digest, size }: KeptLayers["layers"][number],
  { mediaType: manifestType }: ImageManifest,
): Descriptor {
  if (digest === layer.digest) return layer;
  const { size: _, urls: __, annotations, mediaType, ...rest } = layer;
  const said = withoutChunked(annotations ?? {});
  return {
    ...rest,
    mediaType: uncompressedType(manifestType, mediaType),
    digest,
    ...(size !== undefined && { size }),
    ...(Object.keys(said).length > 0 && { annotations: said }),
  };
}

function uncompressedType(manifestType: string, layerType: string): string {
  if (isSchema1(manifestType)) return layerType;
  const { oci, docker } = layerFamilies;
  return manifestType === manifestTypes.oci ? oci.none : docker.none;
}

/** The layers that are kept have to be those that the config names; only schema 1 has no way to name any. */
async function checkContent(
  { config, mediaType }: ImageManifest,
  { layers }: KeptLayers,
  readConfig: () => Promise<Uint8Array>,
): Promise<void> {
  if (isSchema1(mediaType)) return;
  const diffIds = (config && diffIdsOf(config, await readConfig())) ?? [];
  if (diffIds.length !== layers.length) {
    throw new Failure(
      "corrupt",
      `The store has ${layers.length} layers of the image, but its config names ${diffIds.length}`,
    );
  }
  for (const [index, { digest }] of layers.entries()) {
    if (digest === diffIds[index]) continue;
    throw new Failure(
      "corrupt",
      `Layer ${index + 1} of the image is ${digest} in the store, but its config names ${diffIds[index]}`,
    );
  }
}
