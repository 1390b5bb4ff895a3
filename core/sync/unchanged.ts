// Unchanged images: finding out, by as little as possible, that there is nothing to do.

import type { Digest } from "../content/digest.ts";
import { changes } from "../copy/present.ts";
import type { CopyRequest } from "../copy/request.ts";
import { during } from "../failure.ts";
import { spelled } from "../image/name.ts";

/** What two names lead to at the moment, by the word of their places. */
export interface CurrentDigests {
  /** Absent if the destination has nothing, or does not say. */
  readonly destination?: Digest;
  /** What both lead to, where that is the same and nothing has to be done about it. */
  readonly unchanged?: Digest;
}

/** What looking rests on. */
export type Look = Pick<
  CopyRequest,
  "source" | "destination" | "gate" | "format" | "compression" | "crypt" | "signing" | "signatures"
>;

/**
 * Looks at both ends. Nothing is read from the source if the destination has nothing.
 *
 * An image that the policy would have to see, that is to be changed, or whose signatures may have to
 * travel is never unchanged.
 */
export async function currentDigests(look: Look): Promise<CurrentDigests> {
  const { source, destination, gate } = look;
  if (changes(look)) return {};
  const there = await destination.reference.glance?.(destination.context, "destination");
  if (there === undefined) return {};
  const found = { destination: there.digest };
  if (!gate.admitsUnseen(source.reference)) return found;
  const here = await during(
    `initializing source ${spelled(source.reference)}`,
    async () => source.reference.glance?.(source.context, "source"),
    "source",
  );
  if (here === undefined || here.digest !== there.digest) return found;
  if (here.perhapsSigned && look.signatures !== "remove") return found;
  return { ...found, unchanged: here.digest };
}
