import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { decompressed } from "../../../core/blob/decompress.ts";
import { zstdFrame, zstdPacked } from "../../../core/blob/zstd.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";

const limit = 64 * 1024 * 1024;
const MiB = 1024 * 1024;

function content(size: number): Uint8Array {
  return randomBytes("zstd", size).map((byte, at) => (at % 8192 < 4096 ? 65 : byte));
}

describe("zstdPacked", () => {
  test.each([0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB + 17])(
    "is read back, of %d bytes",
    async (size) => {
      const bytes = content(size);
      const packed = zstdPacked(chunked(bytes, 65_536));
      expect(Buffer.from(await collect(decompressed("zstd")(packed), limit)).equals(bytes)).toBe(
        true,
      );
    },
  );

  test("gives the same bytes, however it is cut and however many blocks are in work", async () => {
    const bytes = content(4 * MiB + 5);
    const packed = await Promise.all(
      [0, 1, 2, 4].flatMap((atOnce) =>
        [777, MiB, bytes.length].map((size) =>
          collect(zstdPacked(chunked(bytes, size), 3, atOnce), limit),
        ),
      ),
    );
    const digests = new Set(packed.map((each) => Bun.CryptoHasher.hash("sha256", each, "hex")));
    expect(digests.size).toBe(1);
  });

  test("keeps to the level, and takes one beyond the last for the last", async () => {
    const words = randomBytes("words", 30_000);
    const text = Buffer.from(Array.from(words, (byte) => `word${byte % 97} `).join(""));
    const sizes = new Map<number, number>();
    for (const level of [-5, 0, 1, 3, 19, 22, 99]) {
      sizes.set(level, (await collect(zstdPacked(chunked(text, 5000), level), limit)).length);
    }
    expect(sizes.get(19)).toBeLessThan(sizes.get(1) ?? 0);
    expect(sizes.get(99)).toBe(sizes.get(22) ?? 0);
    expect(sizes.get(-5)).toBe(sizes.get(1) ?? 0);
  });
});

describe("zstdFrame", () => {
  test("says how large its content is", async () => {
    const frame = await zstdFrame(content(100_000));
    // A single segment, and four bytes of size: RFC 8878, 3.1.1.1.
    expect([...frame.subarray(0, 5)]).toEqual([0x28, 0xb5, 0x2f, 0xfd, 0xa0]);
    expect(Buffer.from(frame).readUInt32LE(5)).toBe(100_000);
  });
});
