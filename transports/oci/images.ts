// Images: those that a layout has by name.

import type { TransportContext } from "../../core/image/transport.ts";
import { isAttachmentTag } from "../shared/attachments.ts";
import { isArtifact, type LayoutIndex } from "./index-json.ts";
import { Layout } from "./layout.ts";

/**
 * Lists the images of a layout, as the texts of references: by name, else by position. Artifacts without a name
 * are none. Fails with `io`.
 */
export async function listImages(
  path: string,
  context: TransportContext,
): Promise<readonly string[]> {
  const index = await new Layout(path, context).readIndex();
  const nameless = index.entries.flatMap((entry, position) =>
    entry.name === undefined && !isArtifact(entry) ? [`@${position}`] : [],
  );
  return [...namesIn(index), ...nameless].map((name) => `${path}:${name}`);
}

/** Returns the names of the images in an index, in its order; what is beside an image is none itself. */
export function namesIn({ entries }: LayoutIndex): readonly string[] {
  const names = entries.flatMap(({ name }) => name ?? []);
  return [...new Set(names)].filter((name) => !isAttachmentTag(name));
}
