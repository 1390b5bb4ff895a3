import { describe, expect, test } from "bun:test";

import { CompressedText } from "../../../core/blob/compressed-text.ts";

const text = Buffer.from(
  Array.from({ length: 20_000 }, (_, index) => `{"entry":${index}}\n`).join(""),
);

async function compressed(size: number) {
  const growing = new CompressedText();
  for (let at = 0; at < text.length; at += size) await growing.add(text.subarray(at, at + size));
  return await growing.end();
}

describe("CompressedText", () => {
  test("is one frame of zstd, whatever pieces it came in", async () => {
    const frames = await Promise.all([100, 65_536, text.length].map(compressed));
    for (const { frame, contentBytes } of frames) {
      expect(contentBytes).toBe(text.length);
      expect(Buffer.from(Bun.zstdDecompressSync(frame)).equals(text)).toBe(true);
      expect(Buffer.compare(frame, frames[0]?.frame ?? new Uint8Array())).toBe(0);
    }
  });

  test("may be empty", async () => {
    const { frame, contentBytes } = await new CompressedText().end();
    expect([contentBytes, Bun.zstdDecompressSync(frame).length]).toEqual([0, 0]);
  });
});
