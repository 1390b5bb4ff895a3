// The recipe: all that decides what an image becomes at the destination, but for the image itself.

import { platformName } from "../content/platform.ts";
import type { CopyRequest } from "../copy/request.ts";
import type { ImageSelection } from "../copy/select.ts";

/** Counts when the same wish comes to make something else of the same image. */
const edition = 1;

/** What a recipe is made of. */
export type Making = Pick<
  CopyRequest,
  | "platform"
  | "images"
  | "format"
  | "compression"
  | "crypt"
  | "signing"
  | "signatures"
  | "preserveDigests"
>;

/** Returns the recipe of a copy, on one line; undefined if what it makes is another thing each time. */
export function recipeFor(making: Making): string | undefined {
  const { platform, images, format, signatures, preserveDigests } = making;
  const { compression, crypt, signing } = making;
  if ([compression, crypt, signing].some((wish) => wish !== undefined)) return undefined;
  return [
    `edition ${edition}`,
    // A Docker list is told the platform of entries that have none.
    `for ${platformName(platform)}`,
    selected(images),
    `as ${format ?? "it is"}`,
    `signatures ${signatures}`,
    ...(preserveDigests ? ["digests preserved"] : []),
  ].join(", ");
}

function selected(images: ImageSelection): string {
  if (typeof images === "string") return images;
  return `${images.platforms.map(platformName).join(" and ")}, others ${images.others}`;
}
