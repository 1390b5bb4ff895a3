import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import { Feed } from "../../../transports/docker/feed.ts";
import { chunked } from "../../support/chunks.ts";
import { openEndedBlob, outgoingBlob } from "../../support/outgoing.ts";

const bytes = new TextEncoder().encode("a layer of some length");
const whole = { digest: digestOf(bytes), size: bytes.length };

let readings = 0;

async function* counted(): AsyncGenerator<Uint8Array> {
  readings += 1;
  yield* chunked(bytes, 7);
}

describe("Feed", () => {
  test.each([0, 1, 6, 7, 8, 21, 22])(
    "gives the bytes from %d on, and knows the whole",
    async (start) => {
      using feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)));
      const rest = feed.piece(start);
      expect(rest.size).toBe(bytes.length - start);
      expect(feed.sent).toBeUndefined();
      expect(await collect(rest.open(), 100)).toEqual(bytes.slice(start));
      expect(feed.sent).toEqual(whole);
    },
  );

  test("computes what only the stream can tell", async () => {
    using feed = new Feed(await openEndedBlob(bytes));
    const rest = feed.piece(5);
    expect(rest.size).toBeUndefined();
    await collect(rest.open(), 100);
    expect(feed.sent).toEqual(whole);
  });

  test("starts over each time a piece is opened", async () => {
    using feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)));
    const all = feed.piece(0);
    await collect(all.open(), 100);
    for await (const _ of all.open()) break;
    expect(feed.sent).toBeUndefined();
    expect(await collect(all.open(), 100)).toEqual(bytes);
    expect(feed.sent).toEqual(whole);
  });

  test("knows that the blob is whole before its last bytes leave", async () => {
    using feed = new Feed(await outgoingBlob(bytes, () => chunked(bytes, 7)));
    let passed = 0;
    for await (const chunk of feed.piece(0).open()) {
      passed += chunk.length;
      expect(feed.sent).toEqual(passed > 21 ? whole : undefined);
    }
  });

  describe.each([1, 2, 7, 8, 21, 22, 100])("in pieces of %d", (size) => {
    test.each([
      ["a promised blob", () => outgoingBlob(bytes, () => counted())],
      ["an open blob", () => openEndedBlob(bytes)],
    ])("gives all of %s, reading it once", async (what, blob) => {
      readings = 0;
      using feed = new Feed(await blob());
      const got: number[] = [];
      while (feed.sent === undefined || got.length < feed.sent.size) {
        const open = what === "an open blob";
        const piece = open ? await feed.heldPiece(got.length, size) : feed.piece(got.length, size);
        const part = await collect(piece.open(), 100);
        expect(part.length).toBe(piece.size as number);
        got.push(...part);
        expect(feed.position).toBe(got.length);
      }
      expect(new Uint8Array(got)).toEqual(bytes);
      expect(feed.sent).toEqual(whole);
      expect(readings).toBeLessThanOrEqual(1);
    });
  });

  test("reads the blob again for a piece that was left in the middle", async () => {
    readings = 0;
    using feed = new Feed(await outgoingBlob(bytes, () => counted()));
    for await (const _ of feed.piece(0, 14).open()) break;
    expect(await collect(feed.piece(0, 14).open(), 100)).toEqual(bytes.slice(0, 14));
    expect(await collect(feed.piece(14, 14).open(), 100)).toEqual(bytes.slice(14));
    expect(readings).toBe(2);
  });

  test("reads the blob again while somebody still takes from it", async () => {
    using feed = new Feed(await outgoingBlob(bytes, () => counted()));
    const left = feed.piece(0).open()[Symbol.asyncIterator]();
    await left.next();
    // Asked for, but nobody waits for it any more: it must not be missing afterwards.
    const pending = left.next();
    expect(await collect(feed.piece(7).open(), 100)).toEqual(bytes.slice(7));
    await pending;
    expect(feed.sent).toEqual(whole);
  });

  test("lets go of the blob", async () => {
    let released = false;
    const held = async function* () {
      try {
        yield* chunked(bytes, 7);
      } finally {
        released = true;
      }
    };
    {
      using feed = new Feed(await outgoingBlob(bytes, held));
      await collect(feed.piece(0, 7).open(), 100);
    }
    await Bun.sleep(1);
    expect(released).toBe(true);
  });

  test("remembers that the blob itself failed", async () => {
    const broken = async function* () {
      yield bytes.subarray(0, 5);
      throw new Failure("io", "no such luck");
    };
    using feed = new Feed(await outgoingBlob(bytes, broken));
    await expect(collect(feed.piece(0).open(), 100)).rejects.toMatchObject({
      message: "no such luck",
    });
    expect(feed.failure?.error).toMatchObject({ code: "io" });
    expect(feed.sent).toBeUndefined();
  });
});
