// Staged layers: unpacked beside the store, whole and checked, but no part of it yet.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  decompressed,
  type DetectedCompression,
  detectCompression,
  magicBytes,
} from "../../core/blob/decompress.ts";
import { peeked } from "../../core/blob/peek.ts";
import type { ByteStream, Stage } from "../../core/blob/stream.ts";
import { type Digest, Digester } from "../../core/content/digest.ts";
import { Failure } from "../../core/failure.ts";
import type { OutgoingBlob } from "../../core/image/destination.ts";
import { attempt } from "../shared/system.ts";
import { writeLayer, type WrittenLayer } from "./extract/layer-writer.ts";
import type { UnpackTarget } from "./extract/unpacker.ts";
import { copyTree } from "./extract/copy-tree.ts";
import { removeAll } from "./remove-all.ts";
import type { StagingDirectory } from "./staging-directory.ts";

/** The bytes that a layer came as. */
export interface LayerBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: DetectedCompression;
}

/** A layer that is ready to become part of a store. */
export interface StagedLayer {
  /** What becomes the layer's directory. */
  readonly directory: string;
  /** Where its files are: `diff` in the directory with overlay, the directory itself with vfs. */
  readonly files: string;
  readonly tarSplitPath: string;
  readonly written: WrittenLayer;
  readonly blob: LayerBlob;
}

/** Where and how layers are staged. */
export interface StagingPlan {
  /** On the file system of the layers' files, and on that of their records. */
  readonly files: StagingDirectory;
  readonly records: StagingDirectory;
  readonly unpacking: Omit<UnpackTarget, "directory">;
  /** The files of the layer below, which the new layer's begin as a copy of; absent: as nothing. */
  readonly base?: string;
}

/** Unpacks a blob. After a failure, nothing of it is left. */
export async function stageBlob(
  blob: OutgoingBlob,
  plan: StagingPlan,
  signal: AbortSignal,
): Promise<StagedLayer> {
  await using peek = await peeked(() => blob.open(), magicBytes);
  const compression = detectCompression(peek.start);
  let size = 0;
  const digester = blob.digest === undefined ? new Digester() : undefined;
  const counting: Stage = async function* (bytes) {
    for await (const chunk of bytes) {
      size += chunk.length;
      digester?.update(chunk);
      yield chunk;
    }
  };
  const content = decompressed(compression)(counting(peek.open()));
  const staged = await stageContent(content, plan, signal);
  const digest = blob.digest ?? digester?.digest();
  if (digest === undefined) throw new Failure("bug", "A layer was written without a digest");
  return { ...staged, blob: { digest, size, compression } };
}

/** Unpacks uncompressed content. After a failure, nothing of it is left. */
export async function stageContent(
  content: ByteStream,
  plan: StagingPlan,
  signal: AbortSignal,
): Promise<Omit<StagedLayer, "blob">> {
  const directory = plan.files.next();
  const tarSplitPath = `${plan.records.next()}.tar-split.gz`;
  const files = plan.unpacking.whiteouts === "vfs" ? directory : join(directory, "diff");
  try {
    attempt(() => mkdirSync(directory, { mode: 0o700, recursive: true }));
    attempt(() => mkdirSync(files, { mode: 0o755, recursive: true }));
    if (plan.base !== undefined) {
      const { rootless } = plan.unpacking;
      await copyTree({ from: plan.base, to: files, rootless }, signal);
    }
    const target = { ...plan.unpacking, directory: files, tarSplitPath };
    return { directory, files, tarSplitPath, written: await writeLayer(content, target, signal) };
  } catch (error) {
    removeAll(directory);
    removeAll(tarSplitPath);
    throw error;
  }
}
