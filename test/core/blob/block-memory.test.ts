import { expect, test } from "bun:test";

import { BlockMemory } from "../../../core/blob/block-memory.ts";

test("BlockMemory lends again what it got back, and nothing else", () => {
  const memory = new BlockMemory(64);
  const [one, other] = [memory.take(), memory.take()];
  expect(one.buffer).not.toBe(other.buffer);
  memory.free(new Uint8Array(32));
  expect(memory.take().buffer).not.toBe(one.buffer);
  memory.free(one.subarray(3, 7));
  const again = memory.take();
  expect(again.buffer).toBe(one.buffer);
  expect(again.length).toBe(64);
});

test("BlockMemory lends to one stream what another gave back", () => {
  const one = BlockMemory.of(96).take();
  BlockMemory.of(96).free(one);
  expect(BlockMemory.of(48).take().length).toBe(48);
  expect(BlockMemory.of(96).take().buffer).toBe(one.buffer);
});
