// Metadata: the tables of a SquashFS, which are kept as compressed blocks of 8 KiB.

import { inflateSync } from "node:zlib";
import { collect } from "../../../core/blob/collect.ts";
import { decompressed } from "../../../core/blob/decompress.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import type { FileWindow } from "../file-window.ts";
import type { MetadataPlace, SquashCompression } from "./superblock.ts";

const metadataBytes = 8192;
/** As many as the inodes and directories of a deep path need, and small all together. */
const keptBlocks = 256;

/**
 * Undoes the compression of one block. Fails with `corrupt` if more than `limitBytes` come of it.
 *
 * Less is for the caller to notice: it knows how much it needs.
 */
export async function decompressedBlock(
  compression: SquashCompression,
  bytes: Uint8Array,
  limitBytes: number,
): Promise<Buffer> {
  try {
    if (compression === "gzip") {
      // One piece of memory for all of it, rather than many that are put together.
      return inflateSync(bytes, { maxOutputLength: limitBytes, chunkSize: limitBytes });
    }
    return asBuffer(await collect(decompressed(compression)(streamOf(bytes)), limitBytes));
  } catch (error) {
    throw new Failure("corrupt", "A block of the root file system cannot be decompressed", {
      cause: error,
    });
  }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

interface Block {
  readonly bytes: Buffer;
  /** Where the block after it starts. */
  readonly next: number;
}

/** Reads tables, and keeps the blocks it has read last. */
export class Metadata {
  readonly #file: FileWindow;
  readonly #compression: SquashCompression;
  readonly #blocks = new Map<number, Block>();

  constructor(file: FileWindow, compression: SquashCompression) {
    this.#file = file;
    this.#compression = compression;
  }

  /** Starts to read at a place, whose block is counted from `table`. */
  cursor(table: number, { block, offset }: MetadataPlace): MetadataCursor {
    return new MetadataCursor((at) => this.#block(at), table + block, offset);
  }

  /**
   * Reads entry `index` of a table of entries that are all `size` bytes long.
   *
   * Such a table starts with the places of its blocks, which come 8 KiB each.
   */
  async entry(table: number, index: number, size: number): Promise<Buffer> {
    const perBlock = metadataBytes / size;
    const place = await this.#file.read(table + Math.floor(index / perBlock) * 8, 8);
    const block = Number(place.readBigUInt64LE(0));
    return await this.cursor(0, { block, offset: (index % perBlock) * size }).read(size);
  }

  async #block(at: number): Promise<Block> {
    const kept = this.#blocks.get(at);
    if (kept !== undefined) return kept;
    const head = (await this.#file.read(at, 2)).readUInt16LE(0);
    const size = head & 0x7fff;
    if (size > metadataBytes) throw new Failure("corrupt", "The root file system is damaged");
    const stored = await this.#file.read(at + 2, size);
    const bytes =
      (head & 0x8000) === 0
        ? await decompressedBlock(this.#compression, stored, metadataBytes)
        : stored;
    const block = { bytes, next: at + 2 + size };
    this.#blocks.set(at, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > keptBlocks && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }
}

/** Reads on and on, from one block into the next. */
export class MetadataCursor {
  readonly #open: (at: number) => Promise<Block>;
  #block: number;
  #offset: number;

  constructor(open: (at: number) => Promise<Block>, block: number, offset: number) {
    this.#open = open;
    this.#block = block;
    this.#offset = offset;
  }

  /** Returns the next `size` bytes. Fails with `corrupt` if the table ends before. */
  async read(size: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = size; left > 0;) {
      const { bytes, next } = await this.#open(this.#block);
      const piece = bytes.subarray(this.#offset, this.#offset + left);
      // Only the last block of a table is shorter.
      if (piece.length === 0 && bytes.length < metadataBytes) {
        throw new Failure("corrupt", "A table of the root file system ends too early");
      }
      pieces.push(piece);
      left -= piece.length;
      this.#offset += piece.length;
      if (this.#offset >= bytes.length && bytes.length === metadataBytes) {
        this.#block = next;
        this.#offset -= metadataBytes;
      }
    }
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }
}
