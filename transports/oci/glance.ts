// The glance: which image of a layout a name leads to.

import { existsSync } from "node:fs";
import { isDigest } from "../../core/content/digest.ts";
import type { Glance, TransportContext } from "../../core/image/transport.ts";
import { attachmentTag } from "../shared/attachments.ts";
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
  const digest = entries.find(({ name }) => name === wanted.name)?.digest ?? "";
  if (!isDigest(digest) || !existsSync(layout.blobPath(digest))) return undefined;
  const attachments = attachmentTag(digest);
  const beside = (entry: IndexEntry) =>
    entry.name === attachments || isArtifact(entry) || hiddenIndexOf(entry) !== undefined;
  return { digest, perhapsSigned: entries.some(beside) };
}
