// Chunked trailer: what is behind the content of a zstd:chunked layer, and what leads there.

import { chunkedAnnotations } from "../content/chunked-layer.ts";
import { type Digest, digestOf } from "../content/digest.ts";
import { type PlacedChunk, tocEnd, tocEntry, tocStart } from "./chunked-toc.ts";
import { CompressedText, type CompressedTextFrame } from "./compressed-text.ts";
import type { TarEntry } from "./tar-reader.ts";
import { TarSplitEncoder } from "./tar-split.ts";

/** What is written behind the content, and what is said of it. */
export interface WrittenTrailer {
  readonly frames: readonly Uint8Array[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** A table of contents in JSON, as it stands in the positions. */
const tocKind = 1;

/** Collects, while an archive passes, what has to be known of it. */
export class ChunkedTrailer {
  readonly #split = new TarSplitEncoder();
  readonly #splitText = new CompressedText();
  readonly #toc = new CompressedText();
  #entries = 0;

  /** Adds bytes that are no content. */
  async raw(bytes: Uint8Array): Promise<void> {
    this.#split.raw(bytes);
    await this.#passOn("enough");
  }

  /**
   * Adds an entry, behind the bytes of its headers. Fails with `unsupported` if there are no words for it,
   * or another one has its name.
   */
  async entry(entry: TarEntry, content?: FileContent): Promise<void> {
    this.#split.file(entry.nameBytes, content && { ...content, size: entry.size });
    await this.#passOn("enough");
    const before = this.#entries === 0 ? tocStart : ",";
    await this.#toc.add(utf8(`${before}${tocEntry(entry, content)}`));
    this.#entries += 1;
  }

  /** Returns the trailer of a layer whose content ends at `position`; undefined if there was no entry. */
  async end(position: number): Promise<WrittenTrailer | undefined> {
    if (this.#entries === 0) return undefined;
    await this.#passOn("all");
    const split = await this.#splitText.end();
    await this.#toc.add(utf8(tocEnd(digestOf(split.frame))));
    const toc = await this.#toc.end();
    const tocAt = position + skippableHeaderBytes;
    const splitAt = tocAt + toc.frame.length + skippableHeaderBytes;
    return {
      frames: [
        skippable(toc.frame),
        skippable(split.frame),
        footer({ tocAt, toc, splitAt, split }),
      ],
      annotations: {
        [chunkedAnnotations.tocDigest]: digestOf(toc.frame),
        [chunkedAnnotations.tocPosition]: `${placeOf(tocAt, toc)}:${tocKind}`,
        [chunkedAnnotations.tarSplitPosition]: placeOf(splitAt, split),
      },
    };
  }

  async #passOn(how: "all" | "enough"): Promise<void> {
    const lines = this.#split.take(how);
    if (lines !== undefined) await this.#splitText.add(lines);
  }
}

/** What is known of a file's content once all of it has passed. */
export interface FileContent {
  readonly digest: Digest;
  /** As `Crc64` computes it. */
  readonly checksum: Uint8Array;
  readonly chunks: readonly PlacedChunk[];
}

const skippableHeaderBytes = 8;

/** Readers of zstd pass over such a frame. See RFC 8878, 3.1.2. */
function skippable(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(skippableHeaderBytes + bytes.length);
  frame.writeUInt32LE(0x184d2a50);
  frame.writeUInt32LE(bytes.length, 4);
  frame.set(bytes, skippableHeaderBytes);
  return frame;
}

interface Placed {
  readonly tocAt: number;
  readonly toc: CompressedTextFrame;
  readonly splitAt: number;
  readonly split: CompressedTextFrame;
}

/** Says the same as the annotations, for whoever has only the bytes. */
function footer({ tocAt, toc, splitAt, split }: Placed): Uint8Array {
  const numbers = [
    tocAt,
    toc.frame.length,
    toc.contentBytes,
    tocKind,
    splitAt,
    split.frame.length,
    split.contentBytes,
  ];
  const bytes = Buffer.alloc(64);
  for (const [index, number] of numbers.entries())
    bytes.writeBigUInt64LE(BigInt(number), index * 8);
  bytes.set(utf8("GNUlInUx"), 56);
  return skippable(bytes);
}

function placeOf(at: number, { frame, contentBytes }: CompressedTextFrame): string {
  return `${at}:${frame.length}:${contentBytes}`;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
