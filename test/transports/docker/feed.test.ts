import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import { Feed } from "../../../transports/docker/feed.ts";
import { chunked } from "../../support/chunks.ts";
import { openEndedBlob, outgoingBlob } from "../../support/outgoing.ts";

const bytes = new TextEncoder().encode("a layer of some length");
const whole = { digest: digestOf(bytes), size: bytes.length };

describe("Feed", () => {
  test.each([0, 1, 6, 7, 8, 21, 22])(
    "gives the bytes from %d on, and knows the whole",
    async (start) => {
      const feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)), start);
      expect(feed.size).toBe(bytes.length - start);
      expect(feed.sent).toBeUndefined();
      expect(await collect(feed.open(), 100)).toEqual(bytes.slice(start));
      expect(feed.sent).toEqual(whole);
    },
  );

  test("computes what only the stream can tell", async () => {
    const feed = new Feed(await openEndedBlob(bytes), 5);
    expect(feed.size).toBeUndefined();
    await collect(feed.open(), 100);
    expect(feed.sent).toEqual(whole);
  });

  test("starts over each time it is opened", async () => {
    const feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)), 0);
    await collect(feed.open(), 100);
    for await (const _ of feed.open()) break;
    expect(feed.sent).toBeUndefined();
    expect(await collect(feed.open(), 100)).toEqual(bytes);
    expect(feed.sent).toEqual(whole);
  });

  test("knows that the blob is whole before its last bytes leave", async () => {
    const feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)), 0);
    let passed = 0;
    for await (const chunk of feed.open()) {
      passed += chunk.length;
      expect(feed.sent).toEqual(passed === bytes.length ? whole : undefined);
    }
  });

  test("remembers that the blob itself failed", async () => {
    const broken = async function* () {
      yield bytes.subarray(0, 5);
      throw new Failure("io", "no such luck");
    };
    const feed = new Feed(await outgoingBlob(bytes, broken), 0);
    await expect(collect(feed.open(), 100)).rejects.toMatchObject({ message: "no such luck" });
    expect(feed.failure?.error).toMatchObject({ code: "io" });
    expect(feed.sent).toBeUndefined();
  });
});
