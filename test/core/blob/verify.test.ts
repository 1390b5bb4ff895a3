import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { verified } from "../../../core/blob/verify.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { chunked } from "../../support/chunks.ts";

const bytes = new TextEncoder().encode("a layer of some length");
const promised = { mediaType: "text/plain", digest: digestOf(bytes), size: bytes.length };
const limit = 1000;

function failureAfter(received: Uint8Array, expected: typeof promised): Promise<unknown> {
  return collect(verified(expected)(chunked(received, 7)), limit).catch((error: unknown) => error);
}

describe("verified", () => {
  test.each([1, 7, bytes.length])("passes honest bytes through, %d at a time", async (size) => {
    expect(await collect(verified(promised)(chunked(bytes, size)), limit)).toEqual(bytes);
  });

  test.each(["sha384", "sha512"] as const)("verifies by %s as well", async (algorithm) => {
    const expected = { ...promised, digest: digestOf(bytes, algorithm) };
    expect(await collect(verified(expected)(chunked(bytes, 7)), limit)).toEqual(bytes);
    expect(await failureAfter(bytes.with(3, 0), expected)).toMatchObject({ code: "corrupt" });
  });

  test("passes a blob without a size, and one without a byte", async () => {
    const { mediaType, digest } = promised;
    const unsized = verified({ mediaType, digest });
    expect(await collect(unsized(chunked(bytes, 7)), limit)).toEqual(bytes);
    const empty = new Uint8Array();
    const nothing = verified({ mediaType, digest: digestOf(empty), size: 0 });
    expect(await collect(nothing(chunked(empty, 7)), limit)).toEqual(empty);
  });

  const changed = bytes.with(0, 0);

  test.each([
    ["too few bytes", bytes.subarray(1), promised, "ended after 21 of 22 bytes"],
    ["no bytes at all", bytes.subarray(22), promised, "ended after 0 of 22 bytes"],
    ["too many bytes", new Uint8Array([...bytes, 0]), promised, "is longer than its 22 bytes"],
    ["a size too small", bytes, { ...promised, size: 5 }, "is longer than its 5 bytes"],
    ["a size of zero", bytes, { ...promised, size: 0 }, "is longer than its 0 bytes"],
    ["a size too large", bytes, { ...promised, size: 23 }, "ended after 22 of 23 bytes"],
  ])("fails on %s (C2)", async (_, received, expected, message) => {
    expect(await failureAfter(received, expected)).toMatchObject({
      code: "corrupt",
      message: `Blob ${promised.digest} ${message}`,
    });
  });

  test("fails on a changed byte (C2)", async () => {
    expect(await failureAfter(changed, promised)).toMatchObject({
      code: "corrupt",
      message: `Digest did not match, expected ${promised.digest}, got ${digestOf(changed)}`,
    });
  });

  test("reads no further than one chunk beyond the promised size (P1)", async () => {
    let read = 0;
    const endless = async function* () {
      for (;;) {
        read += 10;
        yield new Uint8Array(10);
      }
    };
    const failure = collect(verified(promised)(endless()), limit).catch((error: unknown) => error);
    expect(await failure).toMatchObject({ code: "corrupt" });
    expect(read).toBe(30);
  });

  test("releases what feeds it when the reader leaves early", async () => {
    let released = false;
    const feed = async function* () {
      try {
        yield bytes;
      } finally {
        released = true;
      }
    };
    for await (const _ of verified(promised)(feed())) break;
    expect(released).toBe(true);
  });
});
