// OpenPGP packets: the shell around keys, signatures and signed data, taken off by our own hands.
//
// See https://www.rfc-editor.org/rfc/rfc4880#section-4.2

import { Failure } from "../failure.ts";

/** One packet. */
export interface Packet {
  /** What kind of packet it is. */
  readonly tag: number;
  readonly body: Uint8Array;
  /** Header and all. */
  readonly whole: Uint8Array;
}

/** The kinds of packets that we know. */
export const packetTags = {
  signature: 2,
  onePassSignature: 4,
  secretKey: 5,
  publicKey: 6,
  compressed: 8,
  marker: 10,
  literal: 11,
} as const;

/** Cuts bytes into packets, to the last byte. Fails with `corrupt` if they do not come out even. */
export function readPackets(bytes: Uint8Array): readonly Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    const { tag, body, end } = readPacket(bytes, at);
    packets.push({ tag, body, whole: bytes.subarray(at, end) });
    at = end;
  }
  return packets;
}

/** Returns the big-endian number in these bytes, which are at most four. */
export function numberIn(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

interface Found {
  readonly tag: number;
  readonly body: Uint8Array;
  /** Where the next packet begins. */
  readonly end: number;
}

function readPacket(bytes: Uint8Array, start: number): Found {
  const [first = 0] = bytes.subarray(start);
  if ((first & 0x80) === 0) throw malformed("there is no packet where one has to begin");
  return (first & 0x40) === 0 ? readOld(bytes, start) : readNew(bytes, start);
}

function readOld(bytes: Uint8Array, start: number): Found {
  const [first = 0] = bytes.subarray(start);
  const tag = (first >> 2) & 0x0f;
  const lengthBytes = [1, 2, 4][first & 0x03];
  // All the rest: only the last packet can be of such a length.
  if (lengthBytes === undefined) {
    return { tag, body: bytes.subarray(start + 1), end: bytes.length };
  }
  const from = start + 1 + lengthBytes;
  const length = numberIn(exactly(bytes, start + 1, lengthBytes));
  return { tag, body: exactly(bytes, from, length), end: from + length };
}

function readNew(bytes: Uint8Array, start: number): Found {
  const tag = (bytes[start] ?? 0) & 0x3f;
  const parts: Uint8Array[] = [];
  for (let at = start + 1; ;) {
    const { length, from, partial } = readLength(bytes, at);
    parts.push(exactly(bytes, from, length));
    at = from + length;
    const [only] = parts;
    if (partial) continue;
    const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    return { tag, body, end: at };
  }
}

function readLength(
  bytes: Uint8Array,
  at: number,
): { readonly length: number; readonly from: number; readonly partial: boolean } {
  const [first = 0] = exactly(bytes, at, 1);
  if (first < 192) return { length: first, from: at + 1, partial: false };
  if (first < 224) {
    const [, second = 0] = exactly(bytes, at, 2);
    return { length: ((first - 192) << 8) + second + 192, from: at + 2, partial: false };
  }
  if (first < 255) return { length: 2 ** (first & 0x1f), from: at + 1, partial: true };
  return { length: numberIn(exactly(bytes, at + 1, 4)), from: at + 5, partial: false };
}

function exactly(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (length > bytes.length - from) throw malformed("a packet is longer than what is there");
  return bytes.subarray(from, from + length);
}

function malformed(why: string): Failure {
  return new Failure("corrupt", `Invalid OpenPGP data: ${why}`);
}
