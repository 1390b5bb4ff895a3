// Copying: from a name to a name, the whole journey on one page.

import { digestAlgorithm } from "../content/digest.ts";
import { during } from "../failure.ts";
import type { ImageDestination } from "../image/destination.ts";
import { spelled } from "../image/name.ts";
import type { ImageSource, RawManifest } from "../image/source.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import { type Admission, type AdmittedSingle, admitSelected, duringChoice } from "./admission.ts";
import { copyImage } from "./copy-image.ts";
import { copyList } from "./copy-list.ts";
import { noteMaking } from "./making.ts";
import { isThere } from "./present.ts";
import type { CopyOutcome, CopyRequest, CopySide } from "./request.ts";
import { prepareSigning } from "./sign.ts";
import { told } from "./told-copy.ts";

/**
 * Copies an image, one image of a list, or a list.
 *
 * Nothing is opened for writing before the policy has admitted all that will travel. After a failure the
 * destination's name leads to what it led to before.
 */
export function copyImages(request: CopyRequest): Promise<CopyOutcome> {
  return told(request, async (telling) => {
    await using reader = await openSource(telling.source);
    return await writeAdmitted(await admitSelected(reader, telling), telling);
  });
}

/** Opens the source of a copy. */
export function openSource({ reference, context }: CopySide): Promise<ImageSource> {
  return during(
    `initializing source ${spelled(reference)}`,
    () => reference.openSource(context),
    "source",
  );
}

/** Writes what was admitted to the destination, up to and including the commit. */
export async function writeAdmitted(
  admission: Admission,
  request: CopyRequest,
): Promise<CopyOutcome> {
  const written = await writeAny(admission, request);
  // Of the algorithm by which the destination's name pins a digest, if it does.
  const pinned = request.destination.reference.digest;
  return {
    manifest: written,
    digest: manifestDigest(written.bytes, pinned && digestAlgorithm(pinned)),
  };
}

function writeAny(admission: Admission, request: CopyRequest): Promise<RawManifest> {
  switch (admission.kind) {
    case "list":
      return copyList(admission, request, () => openDestination(request));
    case "image": {
      const write = () => writeSingle(admission, request);
      return admission.list === undefined ? write() : duringChoice(write);
    }
  }
}

async function writeSingle(single: AdmittedSingle, request: CopyRequest): Promise<RawManifest> {
  if (await isThere(single, request)) return single.image.manifest;
  await using writer = await openDestination(request);
  const written = await copyImage({ ...single, writer, role: "top-level" }, request);
  const top = single.list ?? single.image.manifest;
  noteMaking(writer, written, { top, recipe: request.recipe });
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
