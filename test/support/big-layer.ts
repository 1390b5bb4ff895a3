// Big layer: a gzipped layer of any size, made while it is read, so that nobody has to hold it.

import { crc32 } from "node:zlib";
import { randomBytes } from "./random.ts";
import { tarHeader } from "./tar-bytes.ts";

/** A layer that is there only while it is read. Each reading gives the same bytes. */
export interface BigLayer {
  readonly digest: string;
  /** The digest of the archive before compression. */
  readonly diffId: string;
  /** In bytes, compressed. */
  readonly size: number;
  read(): Generator<Uint8Array>;
}

/** What one stored block of deflate carries, and how many of them go into a chunk. */
const blockBytes = 127 * 512;
const blocks = 16;

/** Makes a layer of one file of at least `contentBytes` that does not compress. */
export function bigLayer(contentBytes: number, seed = "big"): BigLayer {
  const chunks = Math.ceil(contentBytes / (blockBytes * blocks));
  const template = stored(randomBytes(seed, blockBytes * blocks));
  const compressed = new Bun.CryptoHasher("sha256");
  const plain = new Bun.CryptoHasher("sha256");
  let size = 0;
  for (const chunk of pieces(template, chunks, (payload) => plain.update(payload))) {
    compressed.update(chunk);
    size += chunk.length;
  }
  return {
    digest: `sha256:${compressed.digest("hex")}`,
    diffId: `sha256:${plain.digest("hex")}`,
    size,
    read: () => pieces(template, chunks, () => {}),
  };
}

function* pieces(
  template: Uint8Array,
  chunks: number,
  see: (payload: Uint8Array) => void,
): Generator<Uint8Array> {
  let crc = 0;
  let length = 0;
  const take = (payload: Uint8Array) => {
    see(payload);
    crc = crc32(payload, crc);
    length += payload.length;
  };
  const header = tarHeader({ path: "big" }, chunks * blocks * blockBytes);
  take(header);
  yield Buffer.concat([Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]), stored(header)]);
  for (let index = 0; index < chunks; index += 1) {
    const chunk = Buffer.from(template);
    for (let block = 0; block < blocks; block += 1) {
      const at = block * (blockBytes + 5) + 5;
      chunk.writeUInt32LE(index, at);
      take(chunk.subarray(at, at + blockBytes));
    }
    yield chunk;
  }
  const end = new Uint8Array(1024);
  take(end);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  yield Buffer.concat([stored(end, true), trailer]);
}

/** Deflate without compression: each block says its length twice, once inverted. */
function stored(bytes: Uint8Array, last = false): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const part = bytes.subarray(at, at + blockBytes);
    const head = Buffer.alloc(5);
    head.writeUInt8(last && at + blockBytes >= bytes.length ? 1 : 0, 0);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(part.length ^ 0xffff, 3);
    parts.push(head, part);
  }
  return Buffer.concat(parts);
}
