import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { peeked } from "../../../core/blob/peek.ts";
import { chunked } from "../../support/chunks.ts";

const bytes = new TextEncoder().encode("a layer of some length");

describe("peeked", () => {
  test.each([1, 3, 100])("shows the start and loses nothing, %d bytes at a time", async (size) => {
    await using peek = await peeked(() => chunked(bytes, size), 6);
    expect(peek.start.subarray(0, 6)).toEqual(bytes.subarray(0, 6));
    expect(Buffer.from(await collect(peek.open(), 100)).equals(bytes)).toBe(true);
  });

  test("opens the source once for the look and the first reading, and again for the next", async () => {
    let opened = 0;
    const open = () => {
      opened += 1;
      return chunked(bytes, 4);
    };
    await using peek = await peeked(open, 6);
    await collect(peek.open(), 100);
    expect(opened).toBe(1);
    expect(Buffer.from(await collect(peek.open(), 100)).equals(bytes)).toBe(true);
    expect(opened).toBe(2);
  });

  test("shows all of a stream that is shorter than the look", async () => {
    await using peek = await peeked(() => chunked(bytes.subarray(0, 2), 1), 6);
    expect(peek.start).toEqual(Buffer.from(bytes.subarray(0, 2)));
  });

  test.each(["disposed unread", "left early"])("releases the source when it is %s", async (how) => {
    let released = false;
    const open = async function* () {
      try {
        yield* chunked(bytes, 4);
      } finally {
        released = true;
      }
    };
    {
      await using peek = await peeked(open, 6);
      if (how === "left early") for await (const _ of peek.open()) break;
    }
    expect(released).toBe(true);
  });
});
