import { describe, expect, test } from "bun:test";

import { alongside } from "../../../core/blob/alongside.ts";
import { collect } from "../../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { rejection } from "../../support/rejection.ts";

const chunks = [1, 2, 3, 4].map((byte) => new Uint8Array([byte]));

async function ignore(bytes: ByteStream): Promise<void> {
  for await (const _ of bytes);
}

describe("alongside", () => {
  test.each([
    ["several chunks", chunks],
    ["one chunk", chunks.slice(0, 1)],
    ["nothing", []],
  ])("shows %s to both", async (_, all) => {
    const seen: Uint8Array[] = [];
    const stage = alongside(async (bytes) => {
      for await (const chunk of bytes) {
        await Bun.sleep(1);
        seen.push(chunk);
      }
    });
    const passed = await collect(stage(streamOf(...all)), 100);
    expect([...passed]).toEqual(all.flatMap((chunk) => [...chunk]));
    // Also the last one, however slow: the stream ends when the reader has.
    expect(seen).toEqual([...all]);
  });

  test("never gets further ahead than a chunk", async () => {
    let read = 0;
    const stage = alongside(async (bytes) => {
      for await (const _ of bytes) {
        await Bun.sleep(1);
        read += 1;
      }
    });
    let passed = 0;
    for await (const _ of stage(streamOf(...chunks))) expect(passed++ - read).toBeLessThan(2);
    expect(read).toBe(chunks.length);
  });

  test.each([
    ["at once", 0],
    ["after a chunk", 1],
    ["at the end", chunks.length],
  ])("fails as the reader fails %s, and releases what feeds it", async (_, count) => {
    let released = false;
    const feed = async function* () {
      try {
        yield* chunks;
      } finally {
        released = true;
      }
    };
    const stage = alongside(async (bytes) => {
      let seen = 0;
      if (count === 0) throw new Failure("corrupt", "unreadable");
      for await (const chunk of bytes) {
        seen += chunk.length;
        if (seen === count) throw new Failure("corrupt", "unreadable");
      }
    });
    const failure = await rejection(collect(stage(feed()), 100));
    expect(failure.message).toBe("unreadable");
    expect(released).toBe(true);
  });

  test("does not wait for a reader that has read enough", async () => {
    const stage = alongside(async (bytes) => {
      for await (const _ of bytes) break;
    });
    expect([...(await collect(stage(streamOf(...chunks)), 100))]).toEqual([1, 2, 3, 4]);
  });

  test("lets the reader never take a part for the whole", async () => {
    let ended: string | undefined;
    const stage = alongside(async (bytes) => {
      try {
        await ignore(bytes);
        ended = "whole";
      } catch (error) {
        ended = "failed";
        throw error;
      }
    });
    for await (const _ of stage(streamOf(...chunks))) break;
    expect(ended).toBe("failed");
    const broken = async function* () {
      yield* chunks;
      throw new Failure("unavailable", "broken off");
    };
    const failure = await rejection(collect(stage(broken()), 100));
    expect(failure.message).toBe("broken off");
    expect(ended).toBe("failed");
  });
});
