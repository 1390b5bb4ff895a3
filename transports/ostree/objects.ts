// Objects: what a repository of ostree consists of, and what their bytes mean.

import { Failure } from "../../core/failure.ts";
import { array, bytes, string, tuple, uint32, uint64, variant } from "./gvariant.ts";

/** The name of an object: the SHA-256 of what it means, in hex. */
export type Checksum = string & { readonly brand: "Checksum" };

/** The kinds of objects: the ends of their file names. Those of files depend on the repository, too. */
export type ObjectKind = "commit" | "dirtree" | "dirmeta" | "file";

/** An owner, a mode and attributes. */
export interface FileMeta {
  readonly uid: number;
  readonly gid: number;
  /** With the bits that tell what it is. */
  readonly mode: number;
  /** Names are a character a byte, without the NUL at their end. */
  readonly xattrs: readonly (readonly [name: string, value: Uint8Array])[];
}

/** What a directory holds, by name. */
export interface DirTree {
  readonly files: readonly (readonly [name: string, file: Checksum])[];
  readonly directories: readonly (readonly [name: string, tree: Checksum, meta: Checksum])[];
}

/** A tree with what is said about it. */
export interface Commit {
  /** Only what is text counts here. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tree: Checksum;
  readonly meta: Checksum;
  /** In seconds since 1970. */
  readonly time: bigint;
}

const xattrsType = array(tuple(bytes, bytes));
const metaType = tuple(uint32, uint32, uint32, xattrsType);
const treeType = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));
const headerType = tuple(uint32, uint32, uint32, uint32, string, xattrsType);
const packedHeaderType = tuple(uint64, uint32, uint32, uint32, uint32, string, xattrsType);
const commitType = tuple(
  array(tuple(string, variant)),
  bytes,
  array(tuple(string, bytes)),
  string,
  string,
  uint64,
  bytes,
  bytes,
);

/** Parses the name of an object. Fails with `corrupt`. */
export function parseChecksum(text: string): Checksum {
  if (/^[0-9a-f]{64}$/.test(text)) return text as Checksum;
  throw new Failure("corrupt", `Not the name of an object of ostree: ${JSON.stringify(text)}`);
}

/** Returns the name of an object that is not a file. */
export function checksumOf(object: Uint8Array): Checksum {
  return parseChecksum(Bun.CryptoHasher.hash("sha256", object, "hex"));
}

/** Encodes what is known of a directory besides what it holds; bare-user repositories keep it of files. */
export function encodeMeta(meta: FileMeta): Uint8Array {
  return metaType.encode([meta.uid, meta.gid, meta.mode, xattrsOf(meta)]);
}

/** Parses what `encodeMeta` gives. Fails with `corrupt`. */
export function parseMeta(object: Uint8Array): FileMeta {
  const [uid, gid, mode, xattrs] = metaType.decode(object);
  const named = xattrs.map(([name, value]) => [latin(name).replace(/\0$/, ""), value] as const);
  return { uid, gid, mode, xattrs: named };
}

/**
 * Encodes what precedes the content of a file where its name is computed: its length, four zeros, and the
 * header. `target` is where a symbolic link leads, and empty for anything else.
 */
export function encodeFileHeader(meta: FileMeta, target: string): Uint8Array {
  const { uid, gid, mode } = meta;
  return framed(headerType.encode([uid, gid, mode, 0, target, xattrsOf(meta)]));
}

/** Encodes what precedes the content of a file in an archive repository. */
export function encodePackedHeader(meta: FileMeta, target: string, size: number): Uint8Array {
  const { uid, gid, mode } = meta;
  return framed(packedHeaderType.encode([BigInt(size), uid, gid, mode, 0, target, xattrsOf(meta)]));
}

/** What a file of an archive repository says before its content. */
export interface PackedHeader {
  readonly mode: number;
  readonly size: number;
  readonly target: string;
}

/** Parses the header of a file of an archive repository, without what frames it. Fails with `corrupt`. */
export function parsePackedHeader(header: Uint8Array): PackedHeader {
  const [size, , , mode, , target] = packedHeaderType.decode(header);
  return { size: Number(size), mode, target };
}

/** Encodes what a directory holds, in the order of names that readers rely on. */
export function encodeTree({ files, directories }: DirTree): Uint8Array {
  return treeType.encode([
    files
      .toSorted(([a], [b]) => byBytes(a, b))
      .map(([name, file]) => [name, Buffer.from(file, "hex")] as const),
    directories
      .toSorted(([a], [b]) => byBytes(a, b))
      .map(
        ([name, tree, meta]) => [name, Buffer.from(tree, "hex"), Buffer.from(meta, "hex")] as const,
      ),
  ]);
}

/** Parses what `encodeTree` gives. Fails with `corrupt`. */
export function parseTree(object: Uint8Array): DirTree {
  const [files, directories] = treeType.decode(object);
  return {
    files: files.map(([name, file]) => [name, hex(file)] as const),
    directories: directories.map(([name, tree, meta]) => [name, hex(tree), hex(meta)] as const),
  };
}

/** Encodes a commit without a parent and a message. */
export function encodeCommit({ metadata, tree, meta, time }: Commit): Uint8Array {
  const said = [...metadata].map(([name, value]) => [name, value] as const);
  const nothing = new Uint8Array();
  return commitType.encode([
    said,
    nothing,
    [],
    "",
    "",
    time,
    Buffer.from(tree, "hex"),
    Buffer.from(meta, "hex"),
  ]);
}

/** Parses a commit. Fails with `corrupt`. */
export function parseCommit(object: Uint8Array): Commit {
  const [said, , , , , time, tree, meta] = commitType.decode(object);
  const metadata = new Map<string, string>();
  for (const [name, value] of said) {
    if (typeof value === "string") metadata.set(name, value);
  }
  return { metadata, time, tree: hex(tree), meta: hex(meta) };
}

function framed(header: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header]);
}

function xattrsOf({ xattrs }: FileMeta): readonly (readonly [Uint8Array, Uint8Array])[] {
  return xattrs
    .map(([name, value]) => [Buffer.from(`${name}\0`, "latin1"), value] as const)
    .toSorted(([a], [b]) => Buffer.compare(a, b));
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function latin(text: Uint8Array): string {
  return Buffer.from(text).toString("latin1");
}

function hex(digest: Uint8Array): Checksum {
  return parseChecksum(Buffer.from(digest).toString("hex"));
}
