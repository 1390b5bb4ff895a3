// A list and its images.

import type { Digest } from "../content/digest.ts";
import { recompressedType, type ManifestType } from "../content/media-types.ts";
import type { Platform } from "../content/platform.ts";
import { Failure, type FailureCode, asFailure, during, inContext } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { RawManifest } from "../image/source.ts";
import { type InstanceChange, type InstanceUpdate, rewriteList } from "../manifest/list.ts";
import { parseManifest } from "../manifest/manifest.ts";
import type { ListManifest } from "../manifest/types.ts";
import type { AdmittedImage } from "../trust/gate.ts";
import type { AdmittedList } from "./admission.ts";
import { putBundles, readBundles } from "./bundles.ts";
import { whatChanged } from "./became.ts";
import { digestAsWritten, writtenAs } from "./commit.ts";
import { copyImage, readSignatures } from "./copy-image.ts";
import { about } from "./events.ts";
import { checkPinned, whyFrozen, wouldChange } from "./frozen.ts";
import { noteMaking } from "./making.ts";
import { isThere } from "./present.ts";
import type { CopyRequest } from "./request.ts";
import { listFormats, type SelectedInstances, unconvertible } from "./select.ts";
import { checkHoldsSignatures, signManifest } from "./sign.ts";

/**
 * Copies an admitted list with those of its images that were selected, up to and including the commit.
 * Returns the list as written. `open` opens the destination.
 */
export async function copyList(
  admission: AdmittedList,
  request: CopyRequest,
  open: () => Promise<ImageDestination>,
): Promise<RawManifest> {
  const { candidate, image: admitted, list, selected, instances } = admission;
  await using writer = await open();
  if (!writer.traits.holdsLists) {
    throw new Failure(
      "unsupported",
      `copying multiple images: destination transport ${JSON.stringify(writer.name.transport)} does not support copying multiple images as a group`,
      { hint: "to copy the image for one platform, leave out --all and --multi-arch" },
    );
  }
  const signatures =
    request.signatures === "copy"
      ? await readSignatures(candidate, { of: "list", writer, request })
      : [];
  checkHoldsSignatures(writer, request);
  checkPinned(writer, [admitted.manifest]);
  const bundles = await readBundles(candidate, { of: "list", traits: writer.traits, request });
  const frozenBecause = whyFrozen({
    writer,
    request,
    signed: signatures.length + bundles.length > 0,
    invalidating: "Would invalidate signatures",
  });
  checkStripping(selected, { list, frozenBecause });
  const formats = listFormats({
    own: list.mediaType,
    traits: writer.traits,
    frozenBecause,
    format: request.format,
  });

  const of = instances.length;
  request.tell({ kind: "list-begun", chosen: of, listed: list.instances.length });
  const changes = new Map<number, InstanceChange>(
    selected.stripped.map(({ position }) => [position, "strip"]),
  );
  const images = new Map<number, WrittenInstance>();
  for (const [index, instance] of instances.entries()) {
    const { image } = instance;
    request.tell({ kind: "instance-begun", digest: image.digest, index, of });
    const own = { ...request, tell: about({ instance: index }, request.tell) };
    const written = await during(`copying image ${index + 1}/${of} from manifest list`, async () =>
      (await isThere(instance, own, true))
        ? image.manifest
        : copyImage({ ...instance, writer, role: "instance", list: admitted.manifest }, own),
    );
    const position = selected.travelling[index]?.position ?? index;
    const update = updateFor(written, image, frozenBecause === undefined);
    changes.set(position, update);
    images.set(position, { digest: update.digest, before: image.manifest, after: written });
  }
  request.tell({ kind: "manifest-begun", of: "list" });
  const written = await putList({
    list,
    admitted,
    writer,
    formats,
    frozenBecause,
    changes,
    written: images,
    ownPlatform: request.platform,
  });
  const asWritten = writtenAs(written, admitted);
  request.tell({ kind: "manifest-written", of: "list", ...asWritten });
  const { digest } = asWritten;
  const all = [...signatures, ...(await signManifest(digest, request))];
  request.tell({ kind: "signatures-begun", of: "list" });
  if (all.length > 0) {
    await during("writing signatures", () => writer.putSignatures(all, { digest }), "destination");
  }
  await putBundles(bundles, { writer, of: { digest } });
  noteMaking(writer, written, { top: admitted.manifest, recipe: request.recipe });
  await during("committing the finished image", () => writer.commit(), "destination");
  return written;
}

function checkStripping(
  { stripped }: SelectedInstances,
  {
    list,
    frozenBecause,
  }: { readonly list: ListManifest; readonly frozenBecause?: string | undefined },
): void {
  const [first] = stripped;
  if (first === undefined || frozenBecause === undefined) return;
  throw wouldChange(
    `preparing instances for copy: we should delete instance ${first.digest} from manifest list, but we cannot: ${frozenBecause}`,
    `without ${stripped.length} of its ${list.instances.length} entries it would be another list`,
    frozenBecause,
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

/** An image as it was, and as it was written. */
interface WrittenInstance {
  readonly digest: Digest;
  readonly before: RawManifest;
  readonly after: RawManifest;
}

interface ListCommit {
  readonly list: ListManifest;
  readonly admitted: AdmittedImage;
  readonly writer: ImageDestination;
  readonly formats: readonly ManifestType[];
  readonly frozenBecause: string | undefined;
  /** What became of the entries, by position; those that are absent stay. */
  readonly changes: ReadonlyMap<number, InstanceChange>;
  /** The images that travelled, likewise. */
  readonly written: ReadonlyMap<number, WrittenInstance>;
  /** What a Docker list says of entries that come without a platform. */
  readonly ownPlatform: Platform;
}

/** As in the original, whatever is wrong with one type, another one may be right. */
async function putList(commit: ListCommit): Promise<RawManifest> {
  const { list, admitted, writer, formats, frozenBecause, changes, ownPlatform } = commit;
  const attempts: { readonly to: ManifestType; readonly failure: Failure }[] = [];
  for (const to of formats) {
    const instances = list.instances.map((_, position) => changes.get(position));
    const written = rewriteList(list, { to, instances, ownPlatform });
    if (written !== list.raw && frozenBecause !== undefined) {
      throw unconvertible(to, { change: editOf(commit), frozenBecause });
    }
    try {
      await writer.putManifest(admitted.publish(written));
      return written;
    } catch (error) {
      const failure = asFailure(error);
      if (hopeless.includes(failure.code)) {
        throw inContext("writing manifest list", failure, "destination");
      }
      attempts.push({ to, failure });
      if (failure.code === "unavailable") break;
    }
  }
  throw nothingTaken(attempts, commit);
}

const hopeless: readonly FailureCode[] = ["canceled", "unauthorized", "corrupt", "bug"];

function nothingTaken(
  attempts: readonly { readonly to: ManifestType; readonly failure: Failure }[],
  { list, changes, admitted }: ListCommit,
): Failure {
  const told = attempts.map(({ to, failure }) => `${to}(${failure.message})`).join(", ");
  const last = attempts.at(-1)?.failure;
  // Many registries take no list before they have all of its images.
  const lacking = attempts.some(({ failure }) => failure.missingBlobs !== undefined);
  const sparse = lacking && changes.size < list.instances.length;
  return new Failure(
    last?.code ?? "unsupported",
    `Uploading manifest list failed, attempted the following formats: ${told}`,
    {
      side: "destination",
      cause: last,
      hint: sparse
        ? "the destination wants all images of a list: copy --all, or add --strip-removed-platforms"
        : (last?.hint ?? `the list came from ${spelled(admitted.name)}`),
    },
  );
}

/** Returns which image is another one now, and why. */
function editOf({ list, written }: ListCommit): string {
  for (const [position, { digest }] of list.instances.entries()) {
    const image = written.get(position);
    if (image === undefined || image.digest === digest) continue;
    const why = whatChanged(image.before, image.after);
    return `image ${digest} became ${image.digest}, because ${why}`;
  }
  return "what it says of its images is not what they are";
}
