import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { chunked } from "../../support/chunks.ts";

const bytes = new TextEncoder().encode("some small content");

describe("collect", () => {
  test.each([1, 5, bytes.length, 100])("puts chunks of %d together", async (size) => {
    expect(Buffer.from(await collect(chunked(bytes, size), bytes.length))).toEqual(
      Buffer.from(bytes),
    );
  });

  test("has nothing to collect from nothing", async () => {
    expect((await collect(streamOf(), 0)).length).toBe(0);
  });

  test("stops at the limit, while reading (P1)", async () => {
    let released = false;
    let read = 0;
    const endless = async function* () {
      try {
        for (;;) {
          read += 10;
          yield new Uint8Array(10);
        }
      } finally {
        released = true;
      }
    };
    const failure = await collect(endless(), 25).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "corrupt",
      message: "exceeded maximum allowed size of 25 bytes",
    });
    expect({ read, released }).toEqual({ read: 30, released: true });
  });
});
