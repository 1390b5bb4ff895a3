// SIF bytes: Singularity images written descriptor by descriptor, so that a test can make odd ones.

/** One object of an image: its content, and what its descriptor says. */
export interface SifObject {
  readonly kind: keyof typeof kinds;
  readonly body: Uint8Array;
  /** What the descriptor claims instead of where the content is. */
  readonly offset?: bigint;
  readonly size?: bigint;
  readonly unused?: boolean;
  /** What a partition says besides. */
  readonly partition?: {
    readonly fileSystem?: number;
    readonly role?: number;
    readonly architecture?: string;
  };
}

/** What the header of an image says; what is absent gets the least surprising value. */
export interface SifWish {
  readonly version?: string;
  /** Sixteen bytes in hex. */
  readonly id?: string;
  /** In seconds since 1970. */
  readonly modified?: number;
  readonly magic?: string;
  /** Claimed instead of how many descriptors there are. */
  readonly total?: number;
  readonly descriptorsOffset?: bigint;
}

const kinds = { definition: 0x4001, labels: 0x4003, partition: 0x4004, json: 0x4006 } as const;

const headerBytes = 128;
const descriptorBytes = 585;
const alignment = 4096;

/** The primary system partition, in SquashFS, for amd64. */
export const primary = { fileSystem: 1, role: 2, architecture: "02" } as const;

/** Returns an image of these objects. */
export function sifOf(objects: readonly SifObject[], wish: SifWish = {}): Uint8Array {
  const start = aligned(headerBytes + objects.length * descriptorBytes);
  const bodies: Buffer[] = [];
  const descriptors: Buffer[] = [];
  let at = start;
  for (const [index, object] of objects.entries()) {
    descriptors.push(descriptorOf(object, index, at));
    const padded = Buffer.alloc(aligned(object.body.length));
    padded.set(object.body);
    bodies.push(padded);
    at += padded.length;
  }
  const head = Buffer.alloc(start);
  head.write("#!/usr/bin/env run-singularity\n", 0, "latin1");
  head.write(wish.magic ?? "SIF_MAGIC", 32, "latin1");
  head.write(wish.version ?? "01", 42, "latin1");
  head.write("02", 45, "latin1");
  head.write(wish.id ?? "00112233445566778899aabbccddeeff", 48, "hex");
  const numbers = [
    1_700_000_000n,
    BigInt(wish.modified ?? 1_700_000_000),
    0n,
    BigInt(wish.total ?? objects.length),
    wish.descriptorsOffset ?? BigInt(headerBytes),
    BigInt(objects.length * descriptorBytes),
    BigInt(start),
    BigInt(at - start),
  ];
  for (const [index, number] of numbers.entries()) head.writeBigInt64LE(number, 64 + index * 8);
  for (const [index, each] of descriptors.entries()) {
    head.set(each, headerBytes + index * descriptorBytes);
  }
  return Buffer.concat([head, ...bodies]);
}

function descriptorOf(object: SifObject, index: number, at: number): Buffer {
  const bytes = Buffer.alloc(descriptorBytes);
  bytes.writeInt32LE(kinds[object.kind], 0);
  bytes.writeUInt8(object.unused === true ? 0 : 1, 4);
  bytes.writeUInt32LE(index + 1, 5);
  bytes.writeUInt32LE(0xf0000001, 9);
  const size = object.size ?? BigInt(object.body.length);
  bytes.writeBigInt64LE(object.offset ?? BigInt(at), 17);
  bytes.writeBigInt64LE(size, 25);
  bytes.writeBigInt64LE(size, 33);
  bytes.writeBigInt64LE(1_700_000_000n, 41);
  bytes.writeBigInt64LE(1_700_000_000n, 49);
  bytes.write(object.kind, 73, "latin1");
  if (object.partition !== undefined) {
    const { fileSystem, role, architecture } = { ...primary, ...object.partition };
    bytes.writeInt32LE(fileSystem, 201);
    bytes.writeInt32LE(role, 205);
    bytes.write(architecture, 209, "latin1");
  }
  return bytes;
}

function aligned(size: number): number {
  return Math.ceil(size / alignment) * alignment;
}
