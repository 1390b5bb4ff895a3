// Rebuilt layer: the archive that a layer was unpacked from, out of its files and its tar-split.

import { closeSync, readSync } from "node:fs";
import type { ByteStream } from "../../core/blob/stream.ts";
import { Crc64 } from "../../core/blob/crc64.ts";
import { cleanPath, parseTarSplit } from "../../core/blob/tar-split.ts";
import { asFailure, Failure } from "../../core/failure.ts";
import { quoted } from "../../core/foreign-text.ts";
import { ContainedTree } from "./contained-tree.ts";
import { isSystemError } from "./system.ts";

/** What a layer is rebuilt from. */
export interface UnpackedLayer {
  /** As it is stored, but uncompressed. */
  readonly tarSplit: ByteStream;
  /** Where its files are looked for, in this order: its own directory, and those of the layers below. */
  readonly directories?: readonly string[];
  /** Likewise, where files are not kept as files. */
  readonly files?: LayerFiles;
}

/** The files of a layer, however they are kept. */
export interface LayerFiles {
  /** Opens the content of the file at a clean path; undefined if there is none. */
  open(path: string): Promise<ByteStream | undefined>;
}

/** So much is gathered before it is passed on. */
const chunkBytes = 256 * 1024;

/**
 * Streams the archive that a layer was unpacked from, byte for byte. Nothing outside of the directories
 * is ever read, whatever links lie there.
 *
 * Fails with `corrupt` if a file is missing or is not what it was. That all of it is right is known when
 * its digest is.
 */
export async function* rebuiltLayer(
  layer: UnpackedLayer,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const trees: ContainedTree[] = [];
  try {
    for (const directory of layer.directories ?? []) trees.push(openTree(directory));
    const chunks = new Chunks();
    for await (const record of parseTarSplit(layer.tarSplit)) {
      signal?.throwIfAborted();
      if (record.kind === "raw") {
        yield* chunks.add(record.bytes);
      } else if (record.size > 0) {
        const { name, size, checksum = new Uint8Array() } = record;
        const file = { name, size, checksum };
        if (layer.files === undefined) yield* contentOf(trees, file, chunks);
        else yield* streamedContent(layer.files, file, chunks);
      }
    }
    yield* chunks.rest();
  } finally {
    for (const tree of trees) tree[Symbol.dispose]();
  }
}

function openTree(directory: string): ContainedTree {
  try {
    return new ContainedTree(directory);
  } catch (error) {
    throw asFailure(error);
  }
}

interface RecordedFile {
  readonly name: Uint8Array;
  readonly size: number;
  readonly checksum: Uint8Array;
}

function* contentOf(
  trees: readonly ContainedTree[],
  { name, size, checksum }: RecordedFile,
  chunks: Chunks,
): Generator<Uint8Array> {
  const file = openIn(trees, name);
  try {
    const crc = new Crc64();
    for (let at = 0; at < size;) {
      const space = chunks.space(size - at);
      const count = readSync(file, space, 0, space.length, at);
      if (count === 0) throw unlike(name);
      crc.update(space.subarray(0, count));
      at += count;
      yield* chunks.fill(count);
    }
    if (Buffer.compare(crc.digest(), checksum) !== 0) throw unlike(name);
  } finally {
    closeSync(file);
  }
}

async function* streamedContent(
  files: LayerFiles,
  { name, size, checksum }: RecordedFile,
  chunks: Chunks,
): AsyncGenerator<Uint8Array> {
  const stream = await files.open(cleanPath(name));
  if (stream === undefined) throw lost(name);
  const crc = new Crc64();
  let left = size;
  for await (const bytes of stream) {
    left -= bytes.length;
    if (left < 0) throw unlike(name);
    crc.update(bytes);
    yield* chunks.add(bytes);
  }
  if (left > 0 || Buffer.compare(crc.digest(), checksum) !== 0) throw unlike(name);
}

/** Returns the descriptor of a file, from the first tree that has something of its name. */
function openIn(trees: readonly ContainedTree[], name: Uint8Array): number {
  const path = cleanPath(name);
  let missing: unknown;
  // A path that leads out of the tree was never unpacked.
  for (const tree of /^\.\.(\/|$)/.test(path) ? [] : trees) {
    try {
      return tree.openFile(path).descriptor;
    } catch (error) {
      if (!isSystemError(error, "ENOENT") && !isSystemError(error, "ENOTDIR")) {
        throw asFailure(error);
      }
      missing ??= error;
    }
  }
  throw lost(name, missing);
}

function lost(name: Uint8Array, cause?: unknown): Failure {
  return new Failure("corrupt", `Layer has lost its file ${shownName(name)}`, { cause });
}

/** The words are those of the original. */
function unlike(name: Uint8Array): Failure {
  return new Failure("corrupt", `file integrity checksum failed for ${shownName(name)}`);
}

function shownName(name: Uint8Array): string {
  return quoted(new TextDecoder().decode(name));
}

/** Gathers small pieces to chunks, each of which gets memory of its own, because it is given away. */
class Chunks {
  #chunk = Buffer.allocUnsafeSlow(chunkBytes);
  #used = 0;

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + chunkBytes - this.#used);
      this.#chunk.set(part, this.#used);
      at += part.length;
      yield* this.fill(part.length);
    }
  }

  /** Returns where the next bytes may be put, `limit` of them at most. */
  space(limit: number): Uint8Array {
    return this.#chunk.subarray(this.#used, Math.min(chunkBytes, this.#used + limit));
  }

  /** Says that so many bytes were put there. */
  *fill(count: number): Generator<Uint8Array> {
    this.#used += count;
    if (this.#used < chunkBytes) return;
    yield this.#chunk;
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.#used = 0;
  }

  *rest(): Generator<Uint8Array> {
    if (this.#used > 0) yield this.#chunk.subarray(0, this.#used);
  }
}
