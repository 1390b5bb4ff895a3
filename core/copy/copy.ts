// Copying: from a name to a name, the whole journey on one page.

import { type Digest, digestAlgorithm } from "../content/digest.ts";
import { isListType } from "../content/media-types.ts";
import type { PlatformWish } from "../content/platform.ts";
import { Failure, during } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { RawManifest } from "../image/source.ts";
import { chooseInstance } from "../manifest/choose.ts";
import { effectiveType, manifestDigest, parseManifest } from "../manifest/manifest.ts";
import { Candidate } from "../trust/gate.ts";
import { copyImage } from "./copy-image.ts";
import { copyList } from "./copy-list.ts";
import type { CopyOutcome, CopyRequest } from "./request.ts";
import { prepareSigning } from "./sign.ts";

/**
 * Copies an image, one image of a list, or a list.
 *
 * Nothing is opened for writing before the policy has admitted all that will travel. After a failure the
 * destination's name leads to what it led to before.
 */
export async function copyImages(request: CopyRequest): Promise<CopyOutcome> {
  const { reference, context } = request.source;
  await using reader = await during(
    `initializing source ${spelled(reference)}`,
    () => reference.openSource(context),
    "source",
  );
  const top = new Candidate(reader);
  const manifest = await during(
    `determining manifest MIME type for ${spelled(reference)}`,
    () => top.manifest(),
    "source",
  );
  if (!isListType(effectiveType(manifest))) return outcome(await copySingle(top, request), request);
  if (request.images !== "system") {
    return outcome(await copyList(top, request, () => openDestination(request)), request);
  }
  if (request.signatures === "remove-from-list") {
    throw new Failure(
      "usage",
      "RemoveListSignatures is not applicable when copying a single instance",
      { hint: "add --all, or use --remove-signatures" },
    );
  }
  const chosen = await during(`choosing an image from manifest list ${spelled(reference)}`, () =>
    chooseFrom(manifest, request.platform),
  );
  return await during("copying system image from manifest list", async () =>
    outcome(await copySingle(top.pick(chosen), request, manifest), request),
  );
}

function chooseFrom(raw: RawManifest, platform: PlatformWish): Digest {
  const list = parseManifest(raw);
  if (list.kind !== "list") throw new Failure("bug", "A list is no list any more");
  return chooseInstance(list, platform).digest;
}

async function copySingle(
  candidate: Candidate,
  request: CopyRequest,
  list?: RawManifest,
): Promise<RawManifest> {
  const image = await request.gate.admit(candidate);
  await using writer = await openDestination(request);
  const from = list === undefined ? {} : { list };
  const written = await copyImage(
    { candidate, image, writer, role: "top-level", ...from },
    request,
  );
  await during("committing the finished image", () => writer.commit(), "destination");
  return written;
}

async function openDestination(request: CopyRequest): Promise<ImageDestination> {
  await prepareSigning(request);
  const { reference, context } = request.destination;
  return during(
    `initializing destination ${spelled(reference)}`,
    () => reference.openDestination({ ...context, origin: request.source.reference }),
    "destination",
  );
}

/** The digest is of the algorithm by which the destination's name pins one, if it does. */
function outcome(manifest: RawManifest, { destination }: CopyRequest): CopyOutcome {
  const pinned = destination.reference.digest;
  return { manifest, digest: manifestDigest(manifest.bytes, pinned && digestAlgorithm(pinned)) };
}
