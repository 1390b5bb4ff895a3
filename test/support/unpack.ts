// Unpacking: layers made by hand, written into a workspace as a store has them.

import { mkdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { collect } from "../../core/blob/collect.ts";
import { streamOf } from "../../core/blob/stream.ts";
import {
  type LayerTarget,
  writeLayer,
  type WrittenLayer,
} from "../../transports/containers-storage/extract/layer-writer.ts";
import { rebuiltLayer } from "../../transports/shared/rebuilt-layer.ts";
import { chunked } from "./chunks.ts";
import type { Workspace } from "./workspace.ts";

/** A layer that was unpacked. */
export interface Unpacked {
  readonly written: WrittenLayer;
  /** Where its files are. */
  readonly files: string;
  readonly tarSplitPath: string;
  /** Builds its archive again. */
  rebuild(): Promise<Uint8Array>;
}

/** Unpacks an archive into a new directory, or into that of the wish, `chunkBytes` at a time. */
export async function unpack(
  workspace: Workspace,
  tar: Uint8Array,
  wish: Partial<LayerTarget> & { readonly chunkBytes?: number } = {},
): Promise<Unpacked> {
  const { chunkBytes = 64 * 1024, ...target } = wish;
  const files = target.directory ?? workspace.at("layer");
  const tarSplitPath = workspace.at("layer.tar-split.gz");
  if (target.directory === undefined) mkdirSync(files);
  const written = await writeLayer(chunked(tar, chunkBytes), {
    whiteouts: "overlay",
    rootless: process.getuid?.() !== 0,
    tarSplitPath,
    directory: files,
    ...target,
  });
  const rebuild = () => {
    const tarSplit = streamOf(gunzipSync(readFileSync(tarSplitPath)));
    return collect(rebuiltLayer({ tarSplit, directories: [files] }), tar.length + 1);
  };
  return { written, files, tarSplitPath, rebuild };
}
