// File system: a SquashFS, read in place and never unpacked.

import { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import type { FileWindow } from "../file-window.ts";
import { type FileContent, type Inode, readInode } from "./inode.ts";
import { decompressedBlock, Metadata, type MetadataCursor } from "./metadata.ts";
import {
  type MetadataPlace,
  metadataPlace,
  readSuperblock,
  type Superblock,
} from "./superblock.ts";

/** One name in a directory. */
export interface SquashName {
  /** Never empty, nor with a slash, nor one of the names that every directory has. */
  readonly name: Uint8Array;
  readonly inode: MetadataPlace;
}

/** An extended attribute, with its name in full. */
export interface SquashAttribute {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Set in the size of a block that is not compressed. */
const uncompressed = 1 << 24;

/** How many sizes of blocks are read at a time. */
const sizesAtOnce = 1024;

/** A SquashFS. All of its methods fail with `corrupt` on what cannot be. */
export class SquashFileSystem {
  readonly #file: FileWindow;
  readonly #superblock: Superblock;
  readonly #metadata: Metadata;
  /** The last block of fragments that was read: files that follow each other share it. */
  #fragments: { readonly index: number; readonly bytes: Buffer } | undefined;

  private constructor(file: FileWindow, superblock: Superblock) {
    this.#file = file;
    this.#superblock = superblock;
    this.#metadata = new Metadata(file, superblock.compression);
  }

  /** Opens a file system. Fails with `unsupported` on other kinds, and other compressions. */
  static async open(file: FileWindow): Promise<SquashFileSystem> {
    return new SquashFileSystem(file, await readSuperblock(file));
  }

  /** Where the root directory is described. */
  get root(): MetadataPlace {
    return this.#superblock.root;
  }

  /** Reads what is said of a file. */
  async inode(place: MetadataPlace): Promise<Inode> {
    return await readInode(this.#metadata.cursor(this.#superblock.tables.inodes, place));
  }

  /** Returns the user or group with a number of this file system. */
  async owner(index: number): Promise<number> {
    const { tables, idCount } = this.#superblock;
    if (index >= idCount) throw damaged("names an owner that it does not have");
    return (await this.#metadata.entry(tables.ids, index, 4)).readUInt32LE(0);
  }

  /** Lists a directory, in the order of its names. */
  async list(directory: Inode): Promise<readonly SquashName[]> {
    const { content } = directory;
    if (content.kind !== "directory") throw new Failure("bug", "Only directories have a listing");
    // Counts the two names that every directory has, and one byte more.
    let left = content.size - 3;
    if (left > limits.directoryBytes) throw damaged(`has a directory of ${left} bytes`);
    const cursor = this.#metadata.cursor(this.#superblock.tables.directories, content.listing);
    const names: SquashName[] = [];
    while (left > 0) {
      const head = await cursor.read(12);
      left -= 12;
      const block = head.readUInt32LE(4);
      for (let count = head.readUInt32LE(0) + 1; count > 0 && left > 0; count -= 1) {
        const { name, offset, size } = await readName(cursor);
        left -= size;
        names.push({ name, inode: { block, offset } });
      }
    }
    return names;
  }

  /** Returns the extended attributes of a file. */
  async attributes({ attributes: index }: Inode): Promise<readonly SquashAttribute[]> {
    if (index === undefined || !this.#superblock.hasAttributes) return [];
    const start = this.#superblock.tables.attributes;
    const table = Number((await this.#file.read(start, 8)).readBigUInt64LE(0));
    const entry = await this.#metadata.entry(start + 16, index, 16);
    const cursor = this.#metadata.cursor(table, metadataPlace(entry.readBigUInt64LE(0)));
    const attributes: SquashAttribute[] = [];
    for (let count = entry.readUInt32LE(8); count > 0; count -= 1) {
      attributes.push(await this.#attribute(table, cursor));
      if (attributes.length > mostAttributes) throw damaged("has a file of too many attributes");
    }
    return attributes;
  }

  async #attribute(table: number, cursor: MetadataCursor): Promise<SquashAttribute> {
    const head = await cursor.read(4);
    const type = head.readUInt16LE(0);
    const prefix = attributePrefixes[type & 0xff];
    if (prefix === undefined) throw damaged(`has an attribute of the unknown type ${type}`);
    const name = await cursor.read(head.readUInt16LE(2));
    let value = await readValue(cursor);
    // Long values that several files have are kept once, somewhere else.
    if ((type & 0x100) !== 0 && value.length === 8) {
      const place = metadataPlace(value.readBigUInt64LE(0));
      value = await readValue(this.#metadata.cursor(table, place));
    }
    return { name: `${prefix}${name.toString()}`, value };
  }

  /** Streams the content of a file. */
  async *content(file: FileContent): AsyncGenerator<Uint8Array> {
    const { blockBytes } = this.#superblock;
    const { size, fragment } = file;
    const inFragment = fragment === undefined ? 0 : size % blockBytes;
    let left = size - inFragment;
    let at = file.start;
    while (left > 0) {
      const count = Math.min(Math.ceil(left / blockBytes), sizesAtOnce);
      const sizes = await file.blocks.read(count * 4);
      for (let index = 0; index < count; index += 1) {
        const stored = sizes.readUInt32LE(index * 4);
        const length = Math.min(left, blockBytes);
        yield await this.#block(at, stored, length);
        at += stored & (uncompressed - 1);
        left -= length;
      }
    }
    if (fragment === undefined || inFragment === 0) return;
    const bytes = await this.#fragment(fragment.index);
    const tail = bytes.subarray(fragment.offset, fragment.offset + inFragment);
    if (tail.length < inFragment) throw damaged("has a file that ends too early");
    yield tail.slice();
  }

  /** Reads a block that has to give `length` bytes. */
  async #block(at: number, stored: number, length: number): Promise<Uint8Array> {
    // A hole is not stored at all.
    if (stored === 0) return new Uint8Array(length);
    const bytes = await this.#stored(at, stored);
    if (bytes.length !== length) throw damaged("has a block of the wrong size");
    return bytes;
  }

  async #fragment(index: number): Promise<Buffer> {
    const { tables, fragmentCount } = this.#superblock;
    if (index >= fragmentCount) throw damaged("names a fragment that it does not have");
    if (this.#fragments?.index !== index) {
      const entry = await this.#metadata.entry(tables.fragments, index, 16);
      const at = Number(entry.readBigUInt64LE(0));
      this.#fragments = { index, bytes: await this.#stored(at, entry.readUInt32LE(8)) };
    }
    return this.#fragments.bytes;
  }

  async #stored(at: number, stored: number): Promise<Buffer> {
    const { blockBytes, compression } = this.#superblock;
    const size = stored & (uncompressed - 1);
    if (size > blockBytes) throw damaged("has a block that is too large");
    const bytes = await this.#file.read(at, size);
    if ((stored & uncompressed) !== 0) return bytes;
    return await decompressedBlock(compression, bytes, blockBytes);
  }
}

/** The system allows no more bytes for all names together, and each takes some. */
const mostAttributes = 65_536 / 8;

/** No system allows a longer value. */
const valueBytes = 65_536;

const attributePrefixes: Readonly<Record<number, string>> = {
  0: "user.",
  1: "trusted.",
  2: "security.",
};

async function readValue(cursor: MetadataCursor): Promise<Buffer> {
  const size = (await cursor.read(4)).readUInt32LE(0);
  if (size > valueBytes) throw damaged(`has an attribute of ${size} bytes`);
  return await cursor.read(size);
}

async function readName(cursor: MetadataCursor) {
  const head = await cursor.read(8);
  const length = head.readUInt16LE(6) + 1;
  const name = await cursor.read(length);
  const text = name.toString("latin1");
  if (text === "." || text === ".." || /[/\0]/.test(text)) {
    throw damaged(`has a file that is called ${JSON.stringify(text)}`);
  }
  return { name, offset: head.readUInt16LE(0), size: 8 + length };
}

function damaged(what: string): Failure {
  return new Failure("corrupt", `The root file system ${what}`);
}
