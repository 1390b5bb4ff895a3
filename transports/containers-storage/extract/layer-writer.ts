// Layer writer: unpacks a layer into a store, and records what rebuilding its archive needs.

import { Crc64 } from "../../../core/blob/crc64.ts";
import type { ByteStream } from "../../../core/blob/stream.ts";
import { TarSplitEncoder } from "../../../core/blob/tar-split.ts";
import type { Digest } from "../../../core/content/digest.ts";
import { asFailure } from "../../../core/failure.ts";
import { tarEntries } from "../../../core/blob/tar-reader.ts";
import { checkLayerEntry } from "../../shared/layer-entry.ts";
import { RecordingInput } from "../../shared/recording-input.ts";
import { TarSplitFile } from "./tar-split-file.ts";
import { Unpacker, type UnpackTarget } from "./unpacker.ts";
import { isWhiteout } from "./whiteout-name.ts";

/** Where and how a layer is unpacked. */
export interface LayerTarget extends UnpackTarget {
  /** Where the tar-split goes: a new file. */
  readonly tarSplitPath: string;
}

/** What is known of a layer that was written. */
export interface WrittenLayer {
  /** The digest of its archive, with all that follows there. */
  readonly diffId: Digest;
  /** The size of its archive, which is what stores record as `diff-size`. */
  readonly uncompressedBytes: number;
  /** The owners in its headers, sorted, each once, but for those of whiteouts. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/**
 * Unpacks an uncompressed layer, exactly as engines do, and writes its tar-split.
 *
 * Nothing outside of the directory is touched, whatever the layer says. Nothing is brought to the disk for
 * good: that is one call for the whole store. After a failure, what was written by then stays for the
 * caller to remove. Fails with `corrupt` or `unsupported` for archives that engines refuse or that could not
 * be rebuilt, and with `io`.
 */
export async function writeLayer(
  content: ByteStream,
  target: LayerTarget,
  signal?: AbortSignal,
): Promise<WrittenLayer> {
  try {
    return await write(content, target, signal);
  } catch (error) {
    throw asFailure(error);
  }
}

async function write(
  content: ByteStream,
  target: LayerTarget,
  signal: AbortSignal | undefined,
): Promise<WrittenLayer> {
  const encoder = new TarSplitEncoder();
  const owners = { uids: new Set<number>(), gids: new Set<number>() };
  await using input = new RecordingInput(content, encoder);
  using unpacker = new Unpacker(target);
  using tarSplit = new TarSplitFile(target.tarSplitPath);
  for await (const entry of tarEntries(input, { asEngines: true })) {
    signal?.throwIfAborted();
    checkLayerEntry(entry);
    if (!isWhiteout(entry.nameBytes)) {
      owners.uids.add(entry.uid);
      owners.gids.add(entry.gid);
    }
    const file = unpacker.add(entry);
    if (file === undefined) {
      encoder.file(entry.nameBytes);
    } else {
      using _ = file;
      const crc = new Crc64();
      for (let left = entry.size; left > 0;) {
        const found = input.content(left);
        const bytes = found instanceof Promise ? await found : found;
        crc.update(bytes);
        file.write(bytes);
        left -= bytes.length;
        signal?.throwIfAborted();
      }
      file.complete();
      encoder.file(entry.nameBytes, { size: entry.size, checksum: crc.digest() });
    }
    tarSplit.write(encoder, "enough");
  }
  const diffId = await input.end();
  tarSplit.write(encoder, "all");
  unpacker.complete();
  return {
    diffId,
    uncompressedBytes: input.position,
    uids: sorted(owners.uids),
    gids: sorted(owners.gids),
  };
}

function sorted(ids: ReadonlySet<number>): readonly number[] {
  return [...ids].toSorted((a, b) => a - b);
}
