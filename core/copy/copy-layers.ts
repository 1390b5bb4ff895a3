// Some blobs of one image, with its manifest but without a promise that the image is whole.

import type { Descriptor } from "../content/descriptor.ts";
import type { Digest } from "../content/digest.ts";
import type { PlatformWish } from "../content/platform.ts";
import { asFailure, Failure, inContext } from "../failure.ts";
import type { BlobRole, ImageDestination } from "../image/destination.ts";
import { findImage } from "../inspect/found-image.ts";
import type { ImageManifest } from "../manifest/types.ts";
import { type AdmittedImage, Candidate, type Gate } from "../trust/gate.ts";
import type { CopySide } from "./request.ts";

/** Which blobs are to be copied, and where to. */
export interface LayersRequest {
  readonly source: CopySide;
  readonly destination: CopySide;
  readonly gate: Gate;
  /** Chooses one image of a list. */
  readonly platform: PlatformWish;
  /** The blobs that are wanted; empty: all layers and the config. */
  readonly wanted: readonly Digest[];
}

/**
 * Copies blobs of one image as they are, one after the other, and the image's manifest.
 *
 * Nothing is opened for writing before the policy has admitted the image. Fails with `usage` if the image
 * does not name a blob that is wanted.
 */
export async function copyLayers(request: LayersRequest): Promise<void> {
  const { source, destination, gate, platform, wanted } = request;
  await using reader = await source.reference.openSource(source.context);
  const { candidate, manifest } = await findImage(new Candidate(reader), platform);
  const image = await gate.admit(candidate);
  const blobs = chosenBlobs(manifest, wanted);
  await using writer = await destination.reference.openDestination(destination.context);
  for (const [blob, role] of blobs.values()) await putBlob(image, writer, { blob, role });
  await writer.putManifest(image.publish());
  await writer.commit();
}

type ChosenBlobs = ReadonlyMap<Digest, readonly [Descriptor, BlobRole]>;

function chosenBlobs({ layers, config }: ImageManifest, wanted: readonly Digest[]): ChosenBlobs {
  const own = new Map<Digest, readonly [Descriptor, BlobRole]>();
  for (const layer of layers) own.set(layer.digest, [layer, "layer"]);
  if (config !== undefined) own.set(config.digest, [config, "config"]);
  if (wanted.length === 0) return own;
  const chosen = new Map<Digest, readonly [Descriptor, BlobRole]>();
  for (const digest of wanted) {
    const blob = own.get(digest);
    if (blob === undefined) {
      throw new Failure("usage", `The image does not name a blob ${digest}`, {
        hint: "inspect --raw shows what it names",
      });
    }
    chosen.set(digest, blob);
  }
  return chosen;
}

async function putBlob(
  image: AdmittedImage,
  writer: ImageDestination,
  { blob, role }: { readonly blob: Descriptor; readonly role: BlobRole },
): Promise<void> {
  try {
    await writer.putBlob(image.blob(blob), role);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== "corrupt") throw failure;
    throw inContext(`corrupt blob ${JSON.stringify(blob.digest)}`, failure);
  }
}
