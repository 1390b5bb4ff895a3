import { describe, expect, test } from "bun:test";

import { type Block, inBlocks } from "../../../core/blob/blocks.ts";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";

const content = randomBytes("blocks", 1000);

/** Work that is slower for earlier blocks, so that they end in another order than they began. */
function copying(seen: number[] = []) {
  let left = 9;
  return async ({ bytes }: Block) => {
    seen.push(bytes.length);
    await Bun.sleep(Math.max(0, left--));
    return bytes.slice();
  };
}

describe("inBlocks", () => {
  test.each([0, 1, 2, 4])("keeps the order with %d blocks at a time", async (atOnce) => {
    for (const size of [1, 77, 1000]) {
      const work = { blockBytes: 128, begin: copying(), atOnce };
      const joined = await collect(inBlocks(chunked(content, size), work), 2000);
      expect(Buffer.from(joined).equals(content)).toBe(true);
    }
  });

  test.each([
    ["nothing", 0, [0]],
    ["less than a block", 100, [100]],
    ["just a block", 128, [128]],
    ["a byte more", 129, [128, 1]],
    ["two blocks", 256, [128, 128]],
  ])("cuts %s into blocks of one size", async (_, size, sizes) => {
    const seen: number[] = [];
    const lasts: boolean[] = [];
    const copy = copying(seen);
    const begin = (block: Block) => {
      lasts.push(block.last);
      return copy(block);
    };
    const bytes = content.subarray(0, size);
    await collect(inBlocks(chunked(bytes, 50), { blockBytes: 128, begin }), 2000);
    expect(seen).toEqual([...sizes]);
    expect(lasts).toEqual(sizes.map((_, index) => index === sizes.length - 1));
  });

  test("fails as the work does, after all of it has ended", async () => {
    let running = 0;
    const begin = async ({ last }: Block) => {
      running += 1;
      await Bun.sleep(last ? 1 : 10);
      running -= 1;
      if (last) throw new Failure("io", "no");
      return new Uint8Array(1);
    };
    const work = { blockBytes: 500, begin };
    const failure = await rejection(collect(inBlocks(streamOf(content), work), 2000));
    expect(failure.message).toBe("no");
    expect(running).toBe(0);
  });

  test("ends its work and lets go of what feeds it when the reader leaves early", async () => {
    let released = false;
    let running = 0;
    const feed = async function* () {
      try {
        for (;;) yield content;
      } finally {
        released = true;
      }
    };
    const begin = async ({ bytes }: Block) => {
      running += 1;
      await Bun.sleep(2);
      running -= 1;
      return bytes.slice();
    };
    for await (const _ of inBlocks(feed(), { blockBytes: 100, begin })) break;
    expect({ released, running }).toEqual({ released: true, running: 0 });
  });
});
