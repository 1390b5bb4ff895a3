import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { BlobSharing } from "../../../core/copy/blob-sharing.ts";

const digest = digestOf(new Uint8Array([1]));
const other = digestOf(new Uint8Array([2]));

describe("BlobSharing", () => {
  test("lets the others wait while one moves a blob, and then all of them go on", async () => {
    const sharing = new BlobSharing(4);
    const first = Promise.withResolvers<string>();
    const order: string[] = [];
    const moves = [
      sharing.move(digest, () => first.promise),
      sharing.move(digest, async () => order.push("second")),
      sharing.move(digest, async () => order.push("third")),
      sharing.move(other, async () => order.push("another blob")),
    ];
    await Bun.sleep(1);
    expect(order).toEqual(["another blob"]);
    first.resolve("moved");
    await Promise.all(moves);
    expect(order).toEqual(["another blob", "second", "third"]);
  });

  test("lets the next one try where the first has failed, one at a time", async () => {
    const sharing = new BlobSharing(4);
    let running = 0;
    const failing = async () => {
      expect(++running).toBe(1);
      await Bun.sleep(1);
      running--;
      throw new Error("no");
    };
    const moves = [1, 2, 3].map(() => sharing.move(digest, failing));
    const outcomes = await Promise.allSettled([...moves, sharing.move(digest, async () => "yes")]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
  });

  test("moves no more at a time than it may, of all copies together", async () => {
    const sharing = new BlobSharing(2);
    let [running, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++running);
      await Bun.sleep(1);
      running--;
    };
    const blobs = Array.from({ length: 9 }, (_, index) => digestOf(new Uint8Array([index])));
    await Promise.all(blobs.map((blob) => sharing.move(blob, work)));
    expect(most).toBe(2);
  });
});
