// Superblock: where the tables of a SquashFS file system are.
//
// See https://dr-emann.github.io/squashfs/ for this and all other structures.

import { Failure } from "../../../core/failure.ts";
import type { FileWindow } from "../file-window.ts";

/** What a file system says about itself. Places are in bytes from its start. */
export interface Superblock {
  readonly compression: SquashCompression;
  /** How long the blocks of files are before compression. */
  readonly blockBytes: number;
  readonly idCount: number;
  readonly fragmentCount: number;
  /** Where the root directory is described. */
  readonly root: MetadataPlace;
  readonly tables: Readonly<Record<SquashTable, number>>;
  /** Whether there are extended attributes. */
  readonly hasAttributes: boolean;
}

/** The tables that everything else is found through. */
export type SquashTable = "ids" | "attributes" | "inodes" | "directories" | "fragments";

/** How blocks are compressed, as far as we can undo it. */
export type SquashCompression = "gzip" | "zstd";

/** A place in a table: the start of a compressed block, and how far in after decompression. */
export interface MetadataPlace {
  readonly block: number;
  readonly offset: number;
}

const superblockBytes = 96;
const noTable = 0xffff_ffff_ffff_ffffn;
const compressions: readonly string[] = ["none", "gzip", "lzma", "lzo", "xz", "lz4", "zstd"];

/** Reads the superblock. Fails with `corrupt`, or with `unsupported` on what we cannot decompress. */
export async function readSuperblock(file: FileWindow): Promise<Superblock> {
  if (file.size < superblockBytes) throw corrupt("is too short");
  const bytes = await file.read(0, superblockBytes);
  if (bytes.toString("latin1", 0, 4) !== "hsqs") {
    throw new Failure("unsupported", "The root file system is not SquashFS, or it is encrypted");
  }
  if (bytes.readUInt16LE(28) !== 4) {
    throw new Failure("unsupported", `SquashFS version ${bytes.readUInt16LE(28)} is not supported`);
  }
  const blockBytes = bytes.readUInt32LE(12);
  const log = bytes.readUInt16LE(22);
  if (log < 12 || log > 20 || blockBytes !== 2 ** log) throw corrupt("has blocks of an odd size");
  return {
    compression: compressionOf(bytes.readUInt16LE(20)),
    blockBytes,
    idCount: bytes.readUInt16LE(26),
    fragmentCount: bytes.readUInt32LE(16),
    root: metadataPlace(bytes.readBigUInt64LE(32)),
    tables: {
      ids: placeAt(bytes, 48),
      attributes: placeAt(bytes, 56),
      inodes: placeAt(bytes, 64),
      directories: placeAt(bytes, 72),
      fragments: placeAt(bytes, 80),
    },
    hasAttributes: bytes.readBigUInt64LE(56) !== noTable,
  };
}

/** Returns the place that a 64-bit reference names, relative to its table. */
export function metadataPlace(reference: bigint): MetadataPlace {
  return { block: Number(reference >> 16n), offset: Number(reference & 0xffffn) };
}

/** Where there is no table, the place is beyond the end of any file, and fails to be read. */
function placeAt(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function compressionOf(number: number): SquashCompression {
  const name = compressions[number] ?? `method ${number}`;
  if (name === "gzip" || name === "zstd") return name;
  throw new Failure("unsupported", `Cannot decompress a SquashFS that is compressed with ${name}`);
}

function corrupt(what: string): Failure {
  return new Failure("corrupt", `The root file system ${what}`);
}
