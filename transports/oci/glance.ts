// The glance: which image of a layout a name leads to.

import { existsSync } from "node:fs";
import { isDigest } from "../../core/content/digest.ts";
import { isListType } from "../../core/content/media-types.ts";
import type { Glance, TransportContext } from "../../core/image/transport.ts";
import { limits } from "../../core/limits.ts";
import { attachmentTag, isAttachmentTag } from "../shared/attachments.ts";
import { readSmallFile } from "../shared/file-stream.ts";
import { lackingImages } from "../shared/lacking-images.ts";
import { hiddenIndexOf, type IndexEntry, isArtifact } from "./index-json.ts";
import { Layout } from "./layout.ts";
import type { OciName } from "./name.ts";

/** Returns what a name in a layout leads to; undefined if there is nothing of that name. */
export async function glance(
  { path, wanted }: OciName,
  context: TransportContext,
): Promise<Glance | undefined> {
  if (wanted.by !== "name") return undefined;
  const layout = new Layout(path, context);
  if (!existsSync(layout.indexPath)) return undefined;
  const { entries } = await layout.readIndex();
  const {
    digest = "",
    mediaType = "",
    making,
  } = entries.find(({ name }) => name === wanted.name) ?? {};
  if (!isDigest(digest) || !existsSync(layout.blobPath(digest))) return undefined;
  const attachments = attachmentTag(digest);
  const isList = isListType(mediaType);
  const lacking = isList
    ? lackingImages(
        { bytes: await readSmallFile(layout.blobPath(digest), limits.manifestBytes), mediaType },
        (image) => existsSync(layout.blobPath(image)),
      )
    : {};
  // Those of a list's images may have to travel, too.
  const isSignature = (name: string) => (isList ? isAttachmentTag(name) : name === attachments);
  const beside = (entry: IndexEntry) =>
    isSignature(entry.name ?? "") || isArtifact(entry) || hiddenIndexOf(entry) !== undefined;
  return {
    digest,
    perhapsSigned: entries.some(beside),
    mediaType,
    ...lacking,
    ...(making !== undefined && { making }),
  };
}
