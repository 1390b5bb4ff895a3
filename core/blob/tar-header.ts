// Tar header: one block of 512 bytes, and what it says.
//
// The formats are v7, ustar (POSIX), star and GNU, which differ in how they read the end of the block.

import { Failure } from "../failure.ts";

/** A tar archive consists of blocks of this size. */
export const blockBytes = 512;

/** The fields of a header block, believed by nobody yet. */
export interface TarHeader {
  /** The one character that tells kinds of entries apart; `\0` in the oldest archives. */
  readonly typeFlag: string;
  readonly name: Uint8Array;
  readonly link: Uint8Array;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  readonly userName: Uint8Array;
  readonly groupName: Uint8Array;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Whether a further block with a map of the file's holes follows. */
  readonly moreHoles: boolean;
}

/** Parses a header block. Fails with `corrupt` if its checksum or one of its numbers is wrong. */
export function parseTarHeader(block: Uint8Array): TarHeader {
  checkSum(block);
  const format = formatOf(block);
  const typeFlag = String.fromCharCode(block[156] ?? 0);
  const extended = format !== "v7";
  return {
    typeFlag,
    name: fullName(block, format),
    link: textField(block, 157, 100),
    size: sizeField(block, 124, 12),
    mode: numberField(block, 100, 8, "mode"),
    uid: numberField(block, 108, 8, "user"),
    gid: numberField(block, 116, 8, "group"),
    modifiedNs: BigInt(numberField(block, 136, 12, "time")) * 1_000_000_000n,
    userName: extended ? textField(block, 265, 32) : nothing,
    groupName: extended ? textField(block, 297, 32) : nothing,
    deviceMajor: extended ? numberField(block, 329, 8, "device number") : 0,
    deviceMinor: extended ? numberField(block, 337, 8, "device number") : 0,
    moreHoles: format === "gnu" && typeFlag === "S" && block[482] !== 0,
  };
}

/** Tells whether a block holds nothing: two of them end an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

const nothing = new Uint8Array();

type Format = "v7" | "ustar" | "star" | "gnu";

function formatOf(block: Uint8Array): Format {
  const magic = latin(block.subarray(257, 265));
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  return latin(block.subarray(508, 512)) === "tar\0" ? "star" : "ustar";
}

const prefixBytes: Readonly<Record<Format, number>> = { v7: 0, ustar: 155, star: 131, gnu: 0 };

function fullName(block: Uint8Array, format: Format): Uint8Array {
  const name = textField(block, 0, 100);
  const prefix = textField(block, 345, prefixBytes[format]);
  return prefix.length === 0 ? name : Buffer.concat([prefix, slash, name]);
}

const slash = new TextEncoder().encode("/");

/** Old programs summed up signed bytes. */
function checkSum(block: Uint8Array): void {
  const stated = numberField(block, 148, 8, "checksum");
  let unsigned = 0;
  let signed = 0;
  // By index: an iterator takes longer than all the rest of reading a header.
  for (let at = 0; at < block.length; at += 1) {
    const counted = at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
    unsigned += counted;
    signed += counted < 0x80 ? counted : counted - 0x100;
  }
  if (stated === unsigned || stated === signed) return;
  throw new Failure("corrupt", "Not a tar archive: a header has the wrong checksum");
}

/** Returns a copy: the field's block is not to be kept for it. */
function textField(block: Uint8Array, at: number, length: number): Uint8Array {
  return untilNul(block.slice(at, at + length));
}

/** Returns the bytes before the first NUL, or all of them. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function sizeField(block: Uint8Array, at: number, length: number): number {
  const size = numberField(block, at, length, "size");
  if (size < 0) throw new Failure("corrupt", `Tar header has the negative size ${size}`);
  return size;
}

/** Octal digits, or a binary number if the first bit is set. */
function numberField(block: Uint8Array, at: number, length: number, what: string): number {
  const field = block.subarray(at, at + length);
  const fault = (): Failure =>
    new Failure("corrupt", `Tar header has an invalid ${what} ${JSON.stringify(latin(field))}`);
  const value = (field[0] ?? 0) & 0x80 ? binaryNumber(field) : octalNumber(field);
  if (!Number.isSafeInteger(value)) throw fault();
  return value;
}

/** Two's complement, with the marking bit taken for a copy of the sign. */
function binaryNumber(field: Uint8Array): number {
  const first = (field[0] ?? 0) & 0x7f;
  let value = BigInt(first & 0x40 ? first - 0x80 : first);
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  return Number(value);
}

function octalNumber(field: Uint8Array): number {
  const digits = latin(field)
    .replace(/^[ \0]+/, "")
    .replace(/[ \0]+$/, "");
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
