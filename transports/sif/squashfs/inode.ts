// Inode: what a SquashFS says of one file, whatever its names are.

import { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import type { MetadataCursor } from "./metadata.ts";
import type { MetadataPlace } from "./superblock.ts";

/** One file, directory, link or device. */
export interface Inode {
  readonly number: number;
  /** The permissions. */
  readonly mode: number;
  /** Numbers in the table of users and groups. */
  readonly uid: number;
  readonly gid: number;
  /** In seconds since 1970. */
  readonly modified: number;
  /** How many names it has. */
  readonly links: number;
  /** A number in the table of attributes; absent where there are none. */
  readonly attributes?: number;
  readonly content: InodeContent;
}

/** What kind of file it is, and what that means. */
export type InodeContent =
  | { readonly kind: "directory"; readonly listing: MetadataPlace; readonly size: number }
  | FileContent
  | { readonly kind: "symlink"; readonly target: Uint8Array }
  | {
      readonly kind: "blockDevice" | "characterDevice";
      readonly major: number;
      readonly minor: number;
    }
  | { readonly kind: "fifo" | "socket" };

/** Where the content of a file is. */
export interface FileContent {
  readonly kind: "file";
  /** In bytes. */
  readonly size: number;
  /** Where its blocks are in the file system, one behind the other. */
  readonly start: number;
  /** Where its last bytes are; absent if they have a block of their own. */
  readonly fragment?: { readonly index: number; readonly offset: number };
  /** Where the sizes of its blocks are to be read. */
  readonly blocks: MetadataCursor;
}

const none = 0xffff_ffff;

/** Reads an inode. Fails with `corrupt`. */
export async function readInode(cursor: MetadataCursor): Promise<Inode> {
  const head = await cursor.read(16);
  const type = head.readUInt16LE(0);
  const { attributes = none, links, content } = await readContent(type, cursor);
  return {
    number: head.readUInt32LE(12),
    mode: head.readUInt16LE(2) & 0o7777,
    uid: head.readUInt16LE(4),
    gid: head.readUInt16LE(6),
    modified: head.readUInt32LE(8),
    links,
    ...(attributes !== none && { attributes }),
    content,
  };
}

/** What an inode says besides what all of them do. */
type Rest = Pick<Inode, "links" | "content" | "attributes">;

/** From 8 on the same kinds come again, with more to say. */
async function readContent(type: number, cursor: MetadataCursor): Promise<Rest> {
  switch (type) {
    case 1:
      return await readDirectory(cursor);
    case 2:
      return await readFile(cursor);
    case 8:
      return await readExtendedDirectory(cursor);
    case 9:
      return await readExtendedFile(cursor);
    case 3:
    case 10:
      return await readSymlink(cursor, type === 10);
    case 4:
    case 11:
      return await readDevice("blockDevice", cursor, type === 11);
    case 5:
    case 12:
      return await readDevice("characterDevice", cursor, type === 12);
    case 6:
    case 13:
      return await readSpecial("fifo", cursor, type === 13);
    case 7:
    case 14:
      return await readSpecial("socket", cursor, type === 14);
  }
  throw new Failure("corrupt", `The root file system has a file of the unknown type ${type}`);
}

async function readDirectory(cursor: MetadataCursor): Promise<Rest> {
  const bytes = await cursor.read(16);
  const listing = { block: bytes.readUInt32LE(0), offset: bytes.readUInt16LE(10) };
  const size = bytes.readUInt16LE(8);
  return { links: bytes.readUInt32LE(4), content: { kind: "directory", listing, size } };
}

async function readExtendedDirectory(cursor: MetadataCursor): Promise<Rest> {
  const bytes = await cursor.read(24);
  const listing = { block: bytes.readUInt32LE(8), offset: bytes.readUInt16LE(18) };
  return {
    links: bytes.readUInt32LE(0),
    content: { kind: "directory", listing, size: bytes.readUInt32LE(4) },
    attributes: bytes.readUInt32LE(20),
  };
}

async function readFile(cursor: MetadataCursor): Promise<Rest> {
  const bytes = await cursor.read(16);
  const content: FileContent = {
    kind: "file",
    size: bytes.readUInt32LE(12),
    start: bytes.readUInt32LE(0),
    ...fragmentAt(bytes, 4),
    blocks: cursor,
  };
  return { links: 1, content };
}

async function readExtendedFile(cursor: MetadataCursor): Promise<Rest> {
  const bytes = await cursor.read(40);
  const size = Number(bytes.readBigUInt64LE(8));
  if (!Number.isSafeInteger(size)) {
    throw new Failure("corrupt", `The root file system has a file of ${size} bytes`);
  }
  const content: FileContent = {
    kind: "file",
    size,
    start: Number(bytes.readBigUInt64LE(0)),
    ...fragmentAt(bytes, 28),
    blocks: cursor,
  };
  return { links: bytes.readUInt32LE(24), content, attributes: bytes.readUInt32LE(36) };
}

function fragmentAt(bytes: Buffer, at: number): Pick<FileContent, "fragment"> {
  const index = bytes.readUInt32LE(at);
  return index === none ? {} : { fragment: { index, offset: bytes.readUInt32LE(at + 4) } };
}

async function readSymlink(cursor: MetadataCursor, extended: boolean): Promise<Rest> {
  const bytes = await cursor.read(8);
  const length = bytes.readUInt32LE(4);
  if (length > limits.pathBytes) {
    throw new Failure("corrupt", `The root file system has a link of ${length} bytes`);
  }
  const target = await cursor.read(length);
  return await extendedIf(extended, cursor, {
    links: bytes.readUInt32LE(0),
    content: { kind: "symlink", target },
  });
}

async function readDevice(
  kind: "blockDevice" | "characterDevice",
  cursor: MetadataCursor,
  extended: boolean,
): Promise<Rest> {
  const bytes = await cursor.read(8);
  const device = bytes.readUInt32LE(4);
  // As the kernel packs them: the minor number is in two parts, around the major one.
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return await extendedIf(extended, cursor, {
    links: bytes.readUInt32LE(0),
    content: { kind, major, minor },
  });
}

async function readSpecial(
  kind: "fifo" | "socket",
  cursor: MetadataCursor,
  extended: boolean,
): Promise<Rest> {
  const links = (await cursor.read(4)).readUInt32LE(0);
  return await extendedIf(extended, cursor, { links, content: { kind } });
}

async function extendedIf(extended: boolean, cursor: MetadataCursor, rest: Rest): Promise<Rest> {
  if (!extended) return rest;
  return { ...rest, attributes: (await cursor.read(4)).readUInt32LE(0) };
}
