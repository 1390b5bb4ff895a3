import { describe, expect, test } from "bun:test";

import { streamOf } from "../../../core/blob/stream.ts";

describe("streamOf", () => {
  test("gives the chunks themselves, in order, and ends", async () => {
    const chunks = [new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3])];
    const received: Uint8Array[] = [];
    for await (const chunk of streamOf(...chunks)) received.push(chunk);
    expect(received.map((chunk, index) => chunk === chunks[index])).toEqual([true, true, true]);
  });
});
