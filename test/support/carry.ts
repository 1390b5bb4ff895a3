// Carry: the way of a sample through the gate, as destinations ask for it.

import { mapLimited } from "../../core/concurrency.ts";
import type { Descriptor } from "../../core/content/descriptor.ts";
import { parseDigest } from "../../core/content/digest.ts";
import type { BlobRole, ImageDestination, StoredBlob } from "../../core/image/destination.ts";
import { type AdmittedImage, Candidate, Gate } from "../../core/trust/gate.ts";
import { acceptEverything } from "../../core/trust/requirements/basic.ts";
import { MemoryTransport, type MemoryWish } from "./memory-transport.ts";
import { blobsOf, type Sample, type SampleBlob } from "./sample-images.ts";
import { transportContext } from "./transport-context.ts";

/** A sample that a gate admitted. Its blobs may be changed in `memory`, behind everybody's back. */
export interface CarriedSample {
  readonly image: AdmittedImage;
  /** The images of a list, admitted each by itself; empty for an image. */
  readonly instances: readonly AdmittedImage[];
  readonly memory: MemoryTransport;
}

/** Admits a sample under a policy that accepts everything. */
export async function admitted(sample: Sample, wish?: MemoryWish): Promise<CarriedSample> {
  const memory = new MemoryTransport(wish);
  memory.add("sample", sample);
  const source = await memory.parseReference("sample").openSource(transportContext());
  const gate = new Gate(acceptEverything, { requireSigned: false, now: () => new Date() });
  const candidate = new Candidate(source);
  const image = await gate.admit(candidate);
  const images = sample.kind === "list" ? sample.images : [];
  const instances: AdmittedImage[] = [];
  for (const { manifest } of images) {
    instances.push(await gate.admit(candidate.pick(parseDigest(manifest.digest))));
  }
  return { image, instances, memory };
}

/** Returns what a manifest would say about a blob. */
export function descriptorOf({ mediaType, digest, bytes }: SampleBlob): Descriptor {
  return { mediaType, digest: parseDigest(digest), size: bytes.length };
}

/** Returns what a blob is to the sample that it is of. */
export function roleOf(sample: Sample, { digest }: SampleBlob): BlobRole {
  const images = sample.kind === "image" ? [sample] : sample.images;
  return images.some(({ config }) => config.digest === digest) ? "config" : "layer";
}

/** Puts the blobs of a sample, and no manifest. */
export async function putBlobs(
  destination: ImageDestination,
  sample: Sample,
): Promise<readonly StoredBlob[]> {
  const { image } = await admitted(sample);
  return putEach(destination, sample, image);
}

/** Puts all of a sample, and neither commits nor disposes. Blobs that are there are put all the same. */
export async function putSample(
  destination: ImageDestination,
  sample: Sample,
  wish?: MemoryWish,
): Promise<readonly StoredBlob[]> {
  const { image, instances } = await admitted(sample, wish);
  const stored = await putEach(destination, sample, image);
  for (const instance of instances) {
    await destination.putManifest(instance.publish(), instance.digest);
  }
  await destination.putManifest(image.publish());
  return stored;
}

/** Waits for all of them, as copies do: nobody disposes of a destination that is being written to. */
function putEach(
  destination: ImageDestination,
  sample: Sample,
  image: AdmittedImage,
): Promise<readonly StoredBlob[]> {
  const blobs = blobsOf(sample);
  const limit = destination.traits.concurrent ? blobs.length : 1;
  return mapLimited(blobs, limit, (blob, signal) =>
    destination.putBlob(image.blob(descriptorOf(blob)), roleOf(sample, blob), signal),
  );
}
