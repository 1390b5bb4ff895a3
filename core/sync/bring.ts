// Bringing: one image to where it is to be, unless it is there.

import type { Digest } from "../content/digest.ts";
import { platformName } from "../content/platform.ts";
import type { BlobSharing } from "../copy/blob-sharing.ts";
import { copyImages } from "../copy/copy.ts";
import type { Tell } from "../copy/events.ts";
import type { CopyRequest, CopySide } from "../copy/request.ts";
import { spelled } from "../image/name.ts";
import type { ChosenImage } from "./lock-file.ts";
import { mayHaveChosen, OpenedList } from "./opened-list.ts";
import { recipeFor } from "./recipe.ts";
import { SeenCopy, type SyncedSource } from "./seen-copy.ts";
import { holdsBeside, type SyncPlace } from "./target.ts";
import { type CurrentImages, currentImages, type UnchangedImage } from "./unchanged.ts";

/** What all copies of a run have in common. */
export type CommonCopy = Omit<
  CopyRequest,
  "source" | "destination" | "tell" | "isPresent" | "sharing" | "recipe"
>;

/** One image, and what bringing it takes. */
export interface Bringing {
  readonly source: CopySide;
  readonly destination: CopySide;
  readonly copy: CommonCopy;
  readonly place: SyncPlace;
  readonly sharing: BlobSharing;
  /** Which image of the source, a list, is known to be the one for a platform. */
  readonly chosen?: ChosenImage | undefined;
  /** Fails if the image may not be written there. Called before it is. */
  readonly claim: () => void;
  /** Called as soon as it is known that there is something to say. */
  readonly begin: () => void;
  readonly tell: Tell;
}

/** What came of one image. */
export interface BroughtImage {
  /** `present`: it was there already, as it is. */
  readonly outcome: "copied" | "present";
  /** Of what the destination's name leads to now. */
  readonly digest: Digest;
  /** What the source's name led to; absent if nobody found out. */
  readonly source?: SyncedSource;
  /** Read from the source, blobs only. */
  readonly bytes: number;
}

/** Copies an image, unless the destination has what the copy would come to. */
export async function bringImage(bringing: Bringing): Promise<BroughtImage> {
  const { source, destination, copy, place, claim, begin, tell } = bringing;
  const current = await currentImages({ ...copy, source, destination });
  if (current.unchanged !== undefined) return leave(current.unchanged, bringing);
  const { source: here, destination: there } = current;
  const seen = new SeenCopy();
  const watched = { ...source, reference: seen.watched(source.reference) };
  const perhaps = mayHaveChosen(current, copy);
  const known = perhaps && isKnownToBeChosen(current, bringing);
  await using list = perhaps && !known ? await OpenedList.open(watched) : undefined;
  const isChosen = async (image: Digest) => known || (await list?.chooses(image, copy)) === true;
  if (here !== undefined && there !== undefined && (await isChosen(there.digest))) {
    return leave({ digest: there.digest, source: here.digest, chosen: there.digest }, bringing);
  }
  claim();
  begin();
  const recipe = recipeFor(copy);
  const { digest } = await copyImages({
    ...copy,
    source: { ...watched, ...(list && { reference: list.reference }) },
    destination,
    sharing: bringing.sharing,
    ...(recipe !== undefined && { recipe }),
    isPresent: async (wanted, instance) =>
      instance
        ? holdsBeside(destination.reference, wanted, { ...place, context: destination.context })
        : there?.digest === wanted,
    tell: (event) => {
      seen.note(event);
      return tell(event);
    },
  });
  return { ...seen.result, digest };
}

/** Tells whether the source is the very list that was written down, and the destination has its image. */
function isKnownToBeChosen(current: CurrentImages, { source, copy, chosen }: Bringing): boolean {
  if (chosen === undefined || copy.format !== undefined) return false;
  if (chosen.platform !== platformName(copy.platform)) return false;
  const isSameList = current.source?.digest === source.reference.digest;
  return isSameList && current.destination?.digest === chosen.digest;
}

function leave(
  { digest, source, chosen }: UnchangedImage & { readonly chosen?: Digest },
  bringing: Bringing,
): BroughtImage {
  bringing.begin();
  tellUnchanged(bringing, digest);
  const found = { digest: source, ...(chosen !== undefined && { chosen }) };
  return { outcome: "present", digest, source: found, bytes: 0 };
}

/** Says what the original says of an image that it would read and compare. */
function tellUnchanged({ source, destination, copy, tell }: Bringing, digest: Digest): void {
  tell({
    kind: "copy-begun",
    source: spelled(source.reference),
    destinations: [spelled(destination.reference)],
  });
  if (copy.signatures !== "remove") tell({ kind: "signatures-sought", of: "image" });
  tell({ kind: "image-present" });
  tell({ kind: "copy-ended", digest });
}
