import { describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";

import { collect } from "../../../core/blob/collect.ts";
import { gzipped } from "../../../core/blob/gzip.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";

const limit = 64 * 1024 * 1024;
const MiB = 1024 * 1024;

/** Half of it compresses, so that blocks of every kind come up. */
function content(size: number): Uint8Array {
  const bytes = randomBytes("compress", size);
  return bytes.map((byte, at) => (at % 8192 < 4096 ? 65 : byte));
}

describe("gzipped", () => {
  test.each([0, 1, 100, MiB - 1, MiB, MiB + 1, 5 * MiB + 17])(
    "makes one member that any gunzip reads back, of %d bytes",
    async (size) => {
      const bytes = content(size);
      const packed = await collect(gzipped(chunked(bytes, 65_536)), limit);
      expect(Buffer.from(gunzipSync(packed)).equals(bytes)).toBe(true);
      expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    },
  );

  test("gives the same bytes however the content is cut", async () => {
    const bytes = content(2 * MiB + 333);
    const cuts = [777, 65_536, MiB, bytes.length];
    const packed = await Promise.all(
      cuts.map((size) => collect(gzipped(chunked(bytes, size)), limit)),
    );
    const digests = new Set(packed.map((each) => Bun.CryptoHasher.hash("sha256", each, "hex")));
    expect(digests.size).toBe(1);
  });

  test.each([undefined, 1, 6])(
    "gives the same bytes at level %p with any number of blocks in work",
    async (level) => {
      const bytes = content(2 * MiB + 333);
      const packed = await Promise.all(
        [0, 1, 2, 4].map((atOnce) => collect(gzipped(chunked(bytes, 9999), level, atOnce), limit)),
      );
      const digests = new Set(packed.map((each) => Bun.CryptoHasher.hash("sha256", each, "hex")));
      expect(digests.size).toBe(1);
    },
  );

  test("stores what does not compress, rather than make it longer", async () => {
    const bytes = randomBytes("noise", 4 * MiB);
    const packed = await collect(gzipped(chunked(bytes, 65_536)), limit);
    expect(packed.length).toBeLessThan(bytes.length * 1.001);
    expect(Buffer.from(gunzipSync(packed)).equals(bytes)).toBe(true);
  });

  test.each([undefined, -2, 0, 1, 9])(
    "makes one member of noise and text by turns, at level %p",
    async (level) => {
      const noise = randomBytes("turns", 900_000);
      const text = Buffer.from("to be or not to be, ".repeat(20_000));
      const bytes = Buffer.concat([noise, text, noise, text, noise.subarray(0, 70_000)]);
      const packed = await collect(gzipped(chunked(bytes, 65_536), level), limit);
      expect(Buffer.from(gunzipSync(packed)).equals(bytes)).toBe(true);
      // Of the text little is left, where it is looked at.
      expect(packed.length).toBeLessThan(bytes.length * (level === 0 ? 1.001 : 0.9));
      const members = new DecompressionStream("deflate-raw");
      const inside = new Blob([packed.slice(10, -8)]).stream().pipeThrough(members);
      expect(await new Response(inside).bytes()).toEqual(new Uint8Array(bytes));
    },
  );

  test("compresses across the borders of its blocks", async () => {
    const bytes = randomBytes("repeated", 16_384);
    const repeated = Buffer.concat(Array.from({ length: 256 }, () => bytes));
    const packed = await collect(gzipped(chunked(repeated, 65_536)), limit);
    // The first block looks like noise; the others are found in it.
    expect(packed.length).toBeLessThan(bytes.length * 20);
  });

  test("passes on the failure of what feeds it, and lets go of it", async () => {
    let released = false;
    const feed = async function* () {
      try {
        yield content(3 * MiB);
        throw new Error("broken off");
      } finally {
        released = true;
      }
    };
    expect(collect(gzipped(feed()), limit)).rejects.toThrow("broken off");
    await Bun.sleep(0);
    expect(released).toBe(true);
  });

  test("releases what feeds it when the reader leaves early", async () => {
    let released = false;
    const feed = async function* () {
      try {
        for (;;) yield content(MiB);
      } finally {
        released = true;
      }
    };
    for await (const _ of gzipped(feed())) break;
    expect(released).toBe(true);
  });
});
