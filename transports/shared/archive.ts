// Archive: a tar archive whose parts are read where they lie.
//
// It is never unpacked. One pass over its headers gives an index; what is asked for is then read by its
// offset. So whatever an archive is called inside, it cannot write anywhere.

import type { FileHandle } from "node:fs/promises";
import { collect } from "../../core/blob/collect.ts";
import { decompressed, detectCompression, magicBytes } from "../../core/blob/decompress.ts";
import { peeked } from "../../core/blob/peek.ts";
import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure, inContext } from "../../core/failure.ts";
import type { TransportContext } from "../../core/image/transport.ts";
import { ArchiveIndex } from "./archive-index.ts";
import { fileStream, openFile, rangeStream } from "./file-stream.ts";
import { isReadOnce, standardInput } from "./read-once.ts";
import { onceStream, Spool } from "./spool.ts";
import { blockBytes, isZeroBlock, parseTarHeader } from "../../core/blob/tar-header.ts";
import { FileInput } from "../../core/blob/tar-input.ts";
import { endOf, type TarEntry, tarEntries } from "../../core/blob/tar-reader.ts";

/** A regular file in an archive. */
export interface ArchiveComponent {
  /** In bytes. */
  readonly size: number;
  /** Streams the content; several may be read at a time. */
  open(...signals: readonly AbortSignal[]): ByteStream;
}

/** What opening an archive takes. */
export type ArchiveContext = Pick<TransportContext, "signal" | "temporaryDirectory">;

/** An open archive. Disposing closes it. */
export class Archive implements AsyncDisposable {
  /** How it is called in messages. */
  readonly path: string;
  readonly #file: FileHandle;
  readonly #index: ArchiveIndex;
  readonly #signal: AbortSignal;

  private constructor(path: string, file: FileHandle, index: ArchiveIndex, signal: AbortSignal) {
    this.path = path;
    this.#file = file;
    this.#index = index;
    this.#signal = signal;
  }

  /**
   * Opens an archive and walks over its headers. `-` and `/dev/stdin` are standard input.
   *
   * What is compressed, or can be read only once, is kept in the temporary directory until the archive is
   * disposed of. Fails with `io` if there is no such file, with `corrupt` if it is no archive, and with
   * `unsupported` if we do not undo its compression.
   */
  static async open(path: string, context: ArchiveContext): Promise<Archive> {
    const file = await openInPlace(path, context);
    try {
      return new Archive(path, file, await indexOf(file, context.signal), context.signal);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** All entries, as they stand there. */
  get entries(): readonly TarEntry[] {
    return this.#index.entries;
  }

  /**
   * Finds a file by its name; undefined if there is none. Links are followed, inside the archive.
   *
   * Fails with `corrupt` if there are two of the name, or a link does not lead to a regular file.
   */
  find(name: string): ArchiveComponent | undefined {
    const entry = this.#index.find(name);
    if (entry === undefined) return undefined;
    return { size: entry.size, open: (...signals) => this.#range(entry, ...signals) };
  }

  /** Returns all of a small file. Fails as `find` does, or with `corrupt` if it is longer than the limit. */
  async read(name: string, limitBytes: number): Promise<Uint8Array | undefined> {
    const found = this.find(name);
    if (found === undefined) return undefined;
    try {
      return await collect(found.open(), limitBytes);
    } catch (error) {
      throw inContext(`reading ${JSON.stringify(name)}`, error);
    }
  }

  /** Streams an entry as it stands there, from its first header to its last block. */
  raw(entry: TarEntry, ...signals: readonly AbortSignal[]): ByteStream {
    const size = endOf(entry) - entry.start;
    return rangeStream(
      this.#file,
      { path: this.path, offset: entry.start, size },
      this.#signal,
      ...signals,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #range({ offset, size }: TarEntry, ...signals: readonly AbortSignal[]): ByteStream {
    return rangeStream(this.#file, { path: this.path, offset, size }, this.#signal, ...signals);
  }
}

/** What is kept loses its name at once: so nothing stays, however the program ends. */
async function openInPlace(path: string, context: ArchiveContext): Promise<FileHandle> {
  await using spool = await spoolFor(path, context);
  return await openFile(spool?.path ?? path);
}

/** Keeps an archive that cannot be read in place; undefined for one that can. */
async function spoolFor(path: string, context: ArchiveContext): Promise<Spool | undefined> {
  const { signal, temporaryDirectory } = context;
  const once = isReadOnce(path);
  const stored = (): ByteStream =>
    once
      ? onceStream(path === "/dev/stdin" ? standardInput : path, signal)
      : fileStream(path, signal);
  await using peek = await peeked(stored, magicBytes);
  const compression = detectCompression(peek.start);
  switch (compression) {
    case "bzip2":
    case "xz":
      throw new Failure("unsupported", `${path} is compressed with ${compression}`, {
        hint: `decompress it first, or write - for the file and pipe in what ${compression} -dc says`,
      });
    case "none":
      if (!once) return undefined;
      return await Spool.keep(checked(peek.open()), temporaryDirectory);
    default:
      return await Spool.keep(
        checked(decompressed(compression, "Archive")(peek.open())),
        temporaryDirectory,
      );
  }
}

/** Lets nothing pass that does not begin as an archive does: it would only fill the disk. */
async function* checked(bytes: ByteStream): AsyncGenerator<Uint8Array> {
  await using peek = await peeked(() => bytes, blockBytes);
  const block = peek.start.subarray(0, blockBytes);
  if (block.length < blockBytes && block.length > 0) throw notAnArchive();
  if (!isZeroBlock(block)) parseTarHeader(block);
  yield* peek.open();
}

async function indexOf(file: FileHandle, signal: AbortSignal): Promise<ArchiveIndex> {
  const { size } = await file.stat();
  if (size > 0 && size < blockBytes) throw notAnArchive();
  const input = new FileInput(file, size);
  const index = new ArchiveIndex();
  for await (const entry of tarEntries(input)) {
    signal.throwIfAborted();
    index.add(entry);
  }
  await checkRest(input);
  return index;
}

const restBytes = 64 * 1024;

/** Some readers take what follows the end for more of the archive. */
async function checkRest(input: FileInput): Promise<void> {
  for (;;) {
    const rest = await input.take(restBytes);
    if (rest.length === 0) return;
    if (!isZeroBlock(rest)) {
      throw new Failure("corrupt", "Tar archive is followed by something else");
    }
  }
}

function notAnArchive(): Failure {
  return new Failure("corrupt", "Not a tar archive: it is too short");
}
