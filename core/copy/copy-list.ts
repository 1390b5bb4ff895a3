// A list and its images.

import type { Platform } from "../content/platform.ts";
import { recompressedType, type ManifestType } from "../content/media-types.ts";
import { mapLimited } from "../concurrency.ts";
import { Failure, asFailure, during } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { RawManifest } from "../image/source.ts";
import { type InstanceUpdate, rewriteList } from "../manifest/list.ts";
import { parseManifest } from "../manifest/manifest.ts";
import type { ListManifest } from "../manifest/types.ts";
import type { AdmittedImage, Candidate } from "../trust/gate.ts";
import { digestAsWritten } from "./commit.ts";
import { copyImage, readSignatures } from "./copy-image.ts";
import { checkPinned, whyFrozen } from "./frozen.ts";
import type { CopyRequest } from "./request.ts";
import { listFormats, selectInstances } from "./select.ts";
import { checkHoldsSignatures, signManifest } from "./sign.ts";

/**
 * Copies a list, with all of its images or with none, up to and including the commit. Returns the list as
 * written. `open` opens the destination, once everything that will travel has been admitted.
 */
export async function copyList(
  top: Candidate,
  request: CopyRequest,
  open: () => Promise<ImageDestination>,
): Promise<RawManifest> {
  const list = parseList(await top.manifest());
  const selection = request.images === "all" ? "all" : "index-only";
  const chosen = selectInstances(list, selection).map(({ digest }) => top.pick(digest));
  const images = await admitAll(chosen, request);
  const admitted = await request.gate.admitList(top, images);

  await using writer = await open();
  if (!writer.traits.holdsLists) {
    throw new Failure(
      "unsupported",
      `copying multiple images: destination transport ${JSON.stringify(writer.name.transport)} does not support copying multiple images as a group`,
      { hint: "to copy the image for one platform, leave out --all and --multi-arch" },
    );
  }
  const signatures =
    request.signatures === "copy" ? await readSignatures(top, { of: "list", writer, request }) : [];
  checkHoldsSignatures(writer, request);
  checkPinned(writer, [admitted.manifest]);
  const frozenBecause = whyFrozen({
    writer,
    request,
    signatures,
    invalidating:
      "Would invalidate signatures; consider removing them from the multi-platform list",
  });
  const formats = listFormats({
    own: list.mediaType,
    traits: writer.traits,
    frozenBecause,
    format: request.format,
  });

  request.tell({ kind: "list-begun", chosen: images.length, listed: list.instances.length });
  const updates: InstanceUpdate[] = [];
  for (const [index, image] of images.entries()) {
    const candidate = chosen[index] as Candidate;
    request.tell({ kind: "instance-begun", digest: image.digest, index, of: images.length });
    const written = await during(
      `copying image ${index + 1}/${images.length} from manifest list`,
      () =>
        copyImage({ candidate, image, writer, role: "instance", list: admitted.manifest }, request),
    );
    updates.push(updateFor(written, image, frozenBecause === undefined));
  }
  request.tell({ kind: "manifest-begun", of: "list" });
  const written = await putList({
    list,
    admitted,
    writer,
    formats,
    frozenBecause,
    updates,
    ownPlatform: request.platform,
  });
  const digest = digestAsWritten(written, admitted);
  const all = [...signatures, ...(await signManifest(digest, request))];
  request.tell({ kind: "signatures-begun", of: "list" });
  if (all.length > 0) {
    await during("writing signatures", () => writer.putSignatures(all, { digest }), "destination");
  }
  await during("committing the finished image", () => writer.commit(), "destination");
  return written;
}

function parseList(raw: RawManifest): ListManifest {
  const list = parseManifest(raw);
  if (list.kind !== "list") throw new Failure("bug", "A list is no list any more");
  return list;
}

/** Asks the gate about every image that will travel; the first refusal, in list order of asking, counts. */
async function admitAll(
  candidates: readonly Candidate[],
  { gate, parallelBlobs }: CopyRequest,
): Promise<AdmittedImage[]> {
  return mapLimited(candidates, parallelBlobs, (candidate, _signal, index) =>
    during(`copying image ${index + 1}/${candidates.length} from manifest list`, () =>
      gate.admit(candidate),
    ),
  );
}

/** What the list has to say about an image as it was written. */
function updateFor(
  written: RawManifest,
  image: AdmittedImage,
  annotating: boolean,
): InstanceUpdate {
  const manifest = parseManifest(written);
  const zstd =
    manifest.kind === "image" &&
    manifest.layers.some(({ mediaType }) => recompressedType(mediaType, "zstd") === mediaType);
  return {
    digest: digestAsWritten(written, image),
    size: written.bytes.length,
    mediaType: manifest.mediaType,
    // Tells readers that know zstd to prefer this image.
    ...(zstd && annotating
      ? { annotations: { "io.github.containers.compression.zstd": "true" } }
      : {}),
  };
}

interface ListCommit {
  readonly list: ListManifest;
  readonly admitted: AdmittedImage;
  readonly writer: ImageDestination;
  readonly formats: readonly ManifestType[];
  readonly frozenBecause: string | undefined;
  /** For each entry whose image travelled, in list order; empty if none did. */
  readonly updates: readonly InstanceUpdate[];
  /** What a Docker list says of entries that come without a platform. */
  readonly ownPlatform: Platform;
}

async function putList(commit: ListCommit): Promise<RawManifest> {
  const { list, admitted, writer, formats, frozenBecause, updates, ownPlatform } = commit;
  const attempts: string[] = [];
  for (const to of formats) {
    const instances = list.instances.map((_, index) => updates[index]);
    const written = rewriteList(list, { to, instances, ownPlatform });
    if (written !== list.raw && frozenBecause !== undefined) {
      throw new Failure(
        "unsupported",
        `Manifest list was edited, but we cannot modify it: ${JSON.stringify(frozenBecause)}`,
      );
    }
    try {
      await during(
        "writing manifest list",
        () => writer.putManifest(admitted.publish(written)),
        "destination",
      );
      return written;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "unsupported" || formats.length === 1) throw error;
      attempts.push(`${to}(${failure.message})`);
    }
  }
  throw new Failure(
    "unsupported",
    `Uploading manifest list failed, attempted the following formats: ${attempts.join(", ")}`,
    { hint: `the list came from ${spelled(admitted.name)}` },
  );
}
