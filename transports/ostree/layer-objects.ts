// Layer objects: what a layer becomes in a repository, its files and what its archive is rebuilt by.

import { Crc64 } from "../../core/blob/crc64.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { type TarEntry, tarEntries } from "../../core/blob/tar-reader.ts";
import { TarSplitEncoder } from "../../core/blob/tar-split.ts";
import { checkLayerEntry } from "../shared/layer-entry.ts";
import { RecordingInput } from "../shared/recording-input.ts";
import { FileObject, writeLink } from "./file-object.ts";
import { kinds, LayerTree, metaOf, textIn } from "./layer-tree.ts";
import type { Checksum } from "./objects.ts";
import type { StagedObjects } from "./staged-objects.ts";

/** What a commit of a blob is made of. */
export interface WrittenTree {
  readonly tree: Checksum;
  readonly meta: Checksum;
  readonly metadata: readonly (readonly [string, string])[];
}

/**
 * Writes the objects of an uncompressed layer. Fails with `corrupt` or `unsupported` for archives that could
 * not be rebuilt, and with `io`.
 */
export async function writeLayer(content: ByteStream, staged: StagedObjects): Promise<WrittenTree> {
  const encoder = new TarSplitEncoder();
  const tree = new LayerTree();
  const packed: Uint8Array[] = [];
  await using input = new RecordingInput(content, encoder);
  for await (const entry of tarEntries(input, { asEngines: true })) {
    checkLayerEntry(entry);
    const checksum = await putEntry(entry, input, { tree, staged });
    encoder.file(entry.nameBytes, checksum && { size: entry.size, checksum });
    pack(encoder, "enough", packed);
  }
  const digest = await input.end();
  pack(encoder, "all", packed);
  return {
    ...tree.write(staged),
    metadata: [
      ["docker.uncompressed_size", String(input.position)],
      ["docker.uncompressed_digest", digest],
      ["tarsplit.output", Buffer.concat(packed).toString("base64")],
    ],
  };
}

/** Puts an entry into the tree, and returns the checksum of content that can be taken back from there. */
async function putEntry(
  entry: TarEntry,
  input: RecordingInput,
  { tree, staged }: LayerPlace,
): Promise<Uint8Array | undefined> {
  switch (entry.kind) {
    case "directory":
      tree.addDirectory(entry);
      return undefined;
    case "hard-link":
      tree.addHardLink(entry);
      return undefined;
    case "symbolic-link": {
      const target = textIn(entry.linkBytes, entry.link);
      tree.addFile(entry, writeLink(staged, metaOf(entry, kinds.symbolicLink), target));
      return undefined;
    }
    case "file": {
      const crc = new Crc64();
      using file = new FileObject(staged, metaOf(entry, kinds.regular), entry.size);
      for (let left = entry.size; left > 0;) {
        const found = input.content(left);
        const bytes = found instanceof Promise ? await found : found;
        crc.update(bytes);
        file.write(bytes);
        left -= bytes.length;
      }
      tree.addFile(entry, file.complete());
      return crc.digest();
    }
    case "character-device":
    case "block-device":
    case "fifo":
    case "other":
      // Left out, as the original does: the tar-split knows of them.
      tree.addParents(entry);
      return undefined;
  }
}

/** Where a layer's entries go. */
interface LayerPlace {
  readonly tree: LayerTree;
  readonly staged: StagedObjects;
}

/** Appends what an encoder has gathered, as one more member of a gzip file. */
function pack(encoder: TarSplitEncoder, all: "all" | "enough", packed: Uint8Array[]): void {
  const lines = encoder.take(all) ?? (all === "all" && packed.length === 0 ? nothing : undefined);
  if (lines !== undefined) packed.push(Bun.gzipSync(lines, { level: 1 }));
}

const nothing = new Uint8Array();
