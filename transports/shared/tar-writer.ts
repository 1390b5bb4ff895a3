// Tar writer: an archive on its way out.
//
// The package makes the headers. Content goes past it: so what failed can be taken back, and a header can
// be written when its file is complete.

import { pack } from "tar-stream";
import type { ByteStream } from "../../core/blob/stream.ts";
import { Failure } from "../../core/failure.ts";
import { Spool } from "./spool.ts";
import { blockBytes } from "../../core/blob/tar-header.ts";
import type { TarOutput } from "./tar-output.ts";

/** A file to be added. */
export interface NewTarFile {
  /** Asked for when the content has ended, where the name depends on it. */
  readonly name: string | (() => string);
  /** In bytes; absent where it is not known beforehand. */
  readonly size?: number | undefined;
  readonly mode?: number;
}

/** What writing may wait for. */
export interface TarWriterOptions {
  readonly temporaryDirectory: string;
  readonly signal: AbortSignal;
}

/**
 * Writes the entries of an archive: in the order of the calls, one when the other is done. Nothing in it
 * depends on who writes it, or when.
 *
 * A file that failed leaves nothing and may be added again, unless its beginning has left already.
 */
export class TarWriter {
  readonly #output: TarOutput;
  readonly #options: TarWriterOptions;
  #broken = false;
  #last: Promise<unknown> = Promise.resolve();

  /** The output stays the caller's, to be completed and disposed of. */
  constructor(output: TarOutput, options: TarWriterOptions) {
    this.#output = output;
    this.#options = options;
  }

  /**
   * Adds a file, and returns its size.
   *
   * Where its size is not known beforehand, and the output cannot be patched, it is kept in the temporary
   * directory first. Fails with `corrupt` if the size is another.
   */
  async addFile(
    file: NewTarFile,
    bytes: ByteStream,
    ...signals: readonly AbortSignal[]
  ): Promise<number> {
    return this.#inTurn(() => this.#addFile(file, bytes, signals));
  }

  /** Adds a directory; its name need not end with a slash. */
  async addDirectory(name: string): Promise<void> {
    const full = name.endsWith("/") ? name : `${name}/`;
    const header = await encodeHeader({ name: full, type: "directory", mode: 0o755 });
    return this.#inTurn(() => this.#put(header));
  }

  /** Adds a symbolic link. */
  async addLink(name: string, link: string): Promise<void> {
    const header = await encodeHeader({ name, type: "symlink", link, mode: 0o777 });
    return this.#inTurn(() => this.#put(header));
  }

  /** Adds entries of another archive as they stand there: whole blocks, headers included. */
  async addRaw(blocks: ByteStream): Promise<void> {
    const content = abortable(blocks, [this.#options.signal]);
    const add = async () => {
      for await (const chunk of content) await this.#put(chunk);
    };
    return this.#inTurn(() => this.#undoing(add));
  }

  /** Ends the archive. */
  async finish(): Promise<void> {
    return this.#inTurn(() => this.#put(new Uint8Array(2 * blockBytes)));
  }

  /** Runs work when all that was asked for before is done, well or not. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #addFile(
    file: NewTarFile,
    bytes: ByteStream,
    signals: readonly AbortSignal[],
  ): Promise<number> {
    const open = typeof file.name !== "string" || file.size === undefined;
    const { undo } = this.#output;
    const content = abortable(bytes, [this.#options.signal, ...signals]);
    if (!open) return this.#undoing(() => this.#addKnown(file, content));
    if (undo !== undefined) return this.#undoing(() => this.#addThenName(file, content, undo));
    await using spool = await Spool.keep(content, this.#options.temporaryDirectory);
    const name = nameOf(file);
    const size = Bun.file(spool.path).size;
    // Awaited, or the spool would be gone before it is read.
    return await this.#undoing(() => this.#addKnown({ ...file, name, size }, spool.open()));
  }

  async #addKnown(file: NewTarFile, bytes: ByteStream): Promise<number> {
    const { size = 0, mode = 0o644 } = file;
    const name = nameOf(file);
    const header = await encodeHeader({ name, type: "file", size, mode });
    let written = 0;
    for await (const chunk of bytes) {
      // Not before there is something: what has not begun can be tried again.
      if (written === 0 && chunk.length > 0) await this.#put(header);
      written += chunk.length;
      if (written > size) throw wrongSize(name, size, written);
      await this.#put(chunk);
    }
    if (written !== size) throw wrongSize(name, size, written);
    if (written === 0) await this.#put(header);
    await this.#pad(size);
    return size;
  }

  async #addThenName(
    file: NewTarFile,
    bytes: ByteStream,
    undo: NonNullable<TarOutput["undo"]>,
  ): Promise<number> {
    const start = this.#output.position;
    await this.#put(new Uint8Array(blockBytes));
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      await this.#put(chunk);
    }
    const name = nameOf(file);
    if (file.size !== undefined && file.size !== size) throw wrongSize(name, file.size, size);
    await this.#pad(size);
    const { mode = 0o644 } = file;
    const header = await encodeHeader({ name, type: "file", size, mode });
    if (header.length !== blockBytes) throw new Failure("bug", `${name} is too long for its place`);
    await undo.patch(header, start);
    return size;
  }

  /** Runs work that writes, and takes back what it wrote if it fails. */
  async #undoing<T>(work: () => Promise<T>): Promise<T> {
    const start = this.#output.position;
    try {
      return await work();
    } catch (error) {
      const { undo, position } = this.#output;
      if (undo !== undefined) await undo.truncate(start);
      else if (position > start) this.#broken = true;
      throw error;
    }
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#broken) {
      throw new Failure("io", "Cannot go on writing an archive of which a broken part has left");
    }
    await this.#output.write(bytes);
  }

  async #pad(size: number): Promise<void> {
    const over = size % blockBytes;
    if (over > 0) await this.#put(new Uint8Array(blockBytes - over));
  }
}

function nameOf({ name }: NewTarFile): string {
  return typeof name === "string" ? name : name();
}

async function* abortable(
  bytes: ByteStream,
  signals: readonly AbortSignal[],
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    for (const signal of signals) signal.throwIfAborted();
    yield chunk;
  }
  for (const signal of signals) signal.throwIfAborted();
}

interface EntryWish {
  readonly name: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly size?: number;
  readonly link?: string;
}

/** Whoever writes it, and whenever: an archive of the same content is the same. */
const someTime = new Date(0);

async function encodeHeader({ link, ...wish }: EntryWish): Promise<Uint8Array> {
  const machine = pack();
  const readable = Promise.withResolvers<void>();
  machine.on("error", readable.reject);
  machine.once("readable", readable.resolve);
  const entry = machine.entry({
    ...wish,
    ...(link !== undefined && { linkname: link }),
    mtime: someTime,
    uid: 0,
    gid: 0,
  });
  // It fails for lack of content when it is thrown away, and that is nobody's affair.
  entry.on("error", () => undefined);
  await readable.promise;
  const parts: Uint8Array[] = [];
  for (let part = machine.read(); part !== null; part = machine.read()) parts.push(part);
  machine.destroy();
  return Buffer.concat(parts);
}

function wrongSize(name: string, expected: number, got: number): Failure {
  return new Failure(
    "corrupt",
    `Size mismatch when copying ${name}, expected ${expected}, got ${got}`,
  );
}
