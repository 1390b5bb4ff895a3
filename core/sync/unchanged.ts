// Unchanged images: finding out, by as little as possible, that there is nothing to do.

import type { Digest } from "../content/digest.ts";
import { isListType } from "../content/media-types.ts";
import { makingOf } from "../copy/making.ts";
import type { CopyRequest } from "../copy/request.ts";
import { during } from "../failure.ts";
import { spelled } from "../image/name.ts";
import type { Glance } from "../image/transport.ts";
import { type Making, recipeFor } from "./recipe.ts";

/** What two names lead to at the moment, by the word of their places. */
export interface CurrentImages {
  /** Absent if the destination has nothing, or does not say. */
  readonly destination?: Glance;
  /** Absent if the source does not say, and where an image has to be looked at whatever it is. */
  readonly source?: Glance;
  /** What the destination has, if that is what a copy would make of the source: nothing has to be done. */
  readonly unchanged?: UnchangedImage;
}

/** An image that need not be copied. */
export interface UnchangedImage {
  /** Of what the destination's name leads to. */
  readonly digest: Digest;
  /** Of what the source's name leads to: the same, or what the image was made of. */
  readonly source: Digest;
}

/** What looking rests on. */
export type Look = Making & Pick<CopyRequest, "source" | "destination" | "gate">;

/**
 * Looks at both ends. Nothing is read from the source if the destination has nothing.
 *
 * An image that the policy would have to see, that is to be signed or encrypted, or whose signatures may have
 * to travel is never unchanged.
 */
export async function currentImages(look: Look): Promise<CurrentImages> {
  const recipe = recipeFor(look);
  if (recipe === undefined) return {};
  const { source, destination, gate, signatures } = look;
  const there = await destination.reference.glance?.(destination.context, "destination");
  if (there === undefined) return {};
  const found = { destination: there };
  if (!gate.admitsUnseen(source.reference)) return found;
  const here = await during(
    `initializing source ${spelled(source.reference)}`,
    async () => source.reference.glance?.(source.context, "source"),
    "source",
  );
  if (here === undefined || (here.perhapsSigned && signatures !== "remove")) return found;
  const unchanged = { digest: there.digest, source: here.digest };
  const made = there.making === makingOf(here.digest, recipe);
  return { ...found, source: here, ...((made || isSame(here, there, look)) && { unchanged }) };
}

/** Tells whether both names lead to one thing, which a copy would leave as it is. */
function isSame(here: Glance, there: Glance, { images, format }: Look): boolean {
  if (here.digest !== there.digest) return false;
  const mediaType = here.mediaType ?? there.mediaType ?? "";
  if (format !== undefined && format !== mediaType) return false;
  if (!isListType(mediaType)) return true;
  if (images === "system") return false;
  return images === "index-only" || there.lacksImages !== true;
}
