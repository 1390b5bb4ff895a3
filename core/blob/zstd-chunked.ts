// Zstd:chunked: an archive as zstd, of which single files can be fetched.
//
// To most readers it is zstd like any other. But each file's content is in frames of its own, and behind
// all of it, in frames that are skipped, stand a table of contents, which tells what is where, and the
// archive's tar-split. Annotations of the layer lead there. See
// https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md

import { Digester, type Digest, digestOf } from "../content/digest.ts";
import { Failure } from "../failure.ts";
import type { PlacedChunk } from "./chunked-toc.ts";
import { BlockMemory } from "./block-memory.ts";
import { ChunkedTrailer, type WrittenTrailer } from "./chunked-trailer.ts";
import { Crc64 } from "./crc64.ts";
import { inOrder } from "./in-order.ts";
import { RecordedInput } from "./recorded-input.ts";
import type { ByteStream } from "./stream.ts";
import { tarEntries, type TarEntry } from "./tar-reader.ts";
import { tidyAfter } from "./tidy.ts";
import { zstdFrame } from "./zstd.ts";

/** How an archive is to be compressed. */
export interface ChunkedWish {
  /** As for zstd; absent: the usual one. */
  readonly level?: number | undefined;
  /** Is told what the manifest has to say of the layer; not called for one that is plain zstd. */
  readonly annotate: (annotations: Readonly<Record<string, string>>) => void;
  /** Pieces in work at a time; absent: enough to keep a few processors busy. */
  readonly atOnce?: number | undefined;
}

/** Files that are larger come in several chunks, which can be fetched by themselves. */
const chunkBytes = 512 * 1024;

/** Small frames compress worse. A higher level makes up for it, in little time. */
const smallBytes = 128 * 1024;
const usualLevels = { small: 5, large: 3 } as const;

/**
 * Compresses an archive as zstd:chunked. The same content and level give the same bytes.
 *
 * What is no archive that all readers read alike, or one that no table of contents can describe, becomes
 * plain zstd, and nothing is said of it.
 */
export async function* zstdChunked(
  bytes: ByteStream,
  { level, annotate, atOnce }: ChunkedWish,
): AsyncGenerator<Uint8Array> {
  const description = new Description();
  let position = 0;
  const memory = new BlockMemory(chunkBytes);
  const begin = async (piece: Piece) => {
    const frame = await zstdFrame(piece.bytes, level ?? usualLevel(piece.bytes));
    // From here on a chunk is only measured.
    if (piece.kind === "chunk") memory.free(piece.bytes);
    return { piece, frame };
  };
  for await (const { piece, frame } of inOrder(pieces(bytes, memory), { begin, atOnce })) {
    await description.add(piece, position, position + frame.length);
    yield frame;
    position += frame.length;
    tidyAfter(piece.bytes.length + leftPerPiece);
  }
  const trailer = await description.end(position);
  if (trailer === undefined) return;
  yield* trailer.frames;
  annotate(trailer.annotations);
}

/** What is left behind of a piece besides its bytes: headers, entries, names. */
const leftPerPiece = 8 * 1024;

function usualLevel({ length }: Uint8Array): number {
  return length < smallBytes ? usualLevels.small : usualLevels.large;
}

/** A piece of an archive, which becomes a frame of its own. */
type Piece =
  /** Headers, padding, and whatever else cannot be fetched; `entry` is the one whose headers end here. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array; readonly entry?: TarEntry }
  | {
      readonly kind: "chunk";
      readonly bytes: Uint8Array;
      readonly digest: Digest;
      readonly end?: FileEnd;
    }
  /** From here on nothing can be said of the archive. */
  | { readonly kind: "lost"; readonly bytes: Uint8Array };

/** What is known of a file with its last chunk. */
interface FileEnd {
  readonly entry: TarEntry;
  readonly digest: Digest;
  readonly checksum: Uint8Array;
}

/** Cuts an archive, and loses none of its bytes, whatever they are. */
async function* pieces(bytes: ByteStream, memory: BlockMemory): AsyncGenerator<Piece> {
  await using input = new RecordedInput(bytes);
  try {
    yield* entryPieces(input, memory);
  } catch (error) {
    // What fails in the stream itself fails for everybody.
    if (input.failed || !(error instanceof Failure)) throw error;
    yield { kind: "lost", bytes: input.recorded() };
  }
  while ((await input.take(chunkBytes)).length > 0) yield { kind: "raw", bytes: input.recorded() };
}

async function* entryPieces(input: RecordedInput, memory: BlockMemory): AsyncGenerator<Piece> {
  for await (const entry of tarEntries(input, { asEngines: true })) {
    checkDescribable(entry);
    yield { kind: "raw", bytes: input.recorded(), entry };
    if (hasContent(entry)) yield* chunks(entry, input, memory);
  }
  // Also if that is nothing: there has to be one frame.
  yield { kind: "raw", bytes: input.recorded() };
}

async function* chunks(
  entry: TarEntry,
  input: RecordedInput,
  memory: BlockMemory,
): AsyncGenerator<Piece> {
  const digester = new Digester();
  const crc = new Crc64();
  for (let left = entry.size; left > 0;) {
    const size = Math.min(left, chunkBytes);
    await input.skip(size);
    const bytes = size < smallBytes ? input.recorded() : input.recordedInto(memory.take());
    digester.update(bytes);
    crc.update(bytes);
    left -= size;
    const end = left === 0 && { entry, digest: digester.digest(), checksum: crc.digest() };
    // Most files are one chunk, which need not be hashed twice.
    const digest = end && size === entry.size ? end.digest : digestOf(bytes);
    yield { kind: "chunk", bytes, digest, ...(end && { end }) };
  }
}

function hasContent({ kind, size }: TarEntry): boolean {
  return kind === "file" && size > 0;
}

/** Fails with `unsupported` on what a table of contents has no words for. */
function checkDescribable(entry: TarEntry): void {
  const { kind, sparse, nameBytes, linkBytes } = entry;
  if (kind === "other" || sparse) {
    throw new Failure("unsupported", "An entry is of a kind that only some programs know");
  }
  if (!isText(nameBytes) || !isText(linkBytes)) {
    throw new Failure("unsupported", "A name is no text");
  }
}

function isText(bytes: Uint8Array): boolean {
  return Buffer.from(new TextDecoder().decode(bytes)).equals(bytes);
}

/** What is said of an archive, as long as anything can be said. */
class Description {
  #trailer: ChunkedTrailer | undefined = new ChunkedTrailer();
  #chunks: PlacedChunk[] = [];

  /** Adds a piece that stands from `start` to `end` in the layer. */
  async add(piece: Piece, start: number, end: number): Promise<void> {
    try {
      await this.#add(piece, start, end);
    } catch (error) {
      // Such as a name that comes twice.
      if (!(error instanceof Failure) || error.code === "bug") throw error;
      this.#trailer = undefined;
    }
  }

  /** Returns what stands behind the content, which ends at `position`. */
  async end(position: number): Promise<WrittenTrailer | undefined> {
    return await this.#trailer?.end(position);
  }

  async #add(piece: Piece, start: number, end: number): Promise<void> {
    switch (piece.kind) {
      case "lost":
        this.#trailer = undefined;
        return;
      case "raw":
        await this.#trailer?.raw(piece.bytes);
        if (piece.entry === undefined || hasContent(piece.entry)) return;
        await this.#trailer?.entry(piece.entry);
        return;
      case "chunk": {
        const { bytes, digest, end: file } = piece;
        if (this.#trailer === undefined) return;
        this.#chunks.push({ digest, contentBytes: bytes.length, start, end });
        if (file === undefined) return;
        const content = { ...file, chunks: this.#chunks };
        this.#chunks = [];
        await this.#trailer.entry(file.entry, content);
      }
    }
  }
}
