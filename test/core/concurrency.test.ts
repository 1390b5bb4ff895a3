import { describe, expect, test } from "bun:test";

import { mapInTurn, mapLimited } from "../../core/concurrency.ts";

/** Waits so many turns of the event loop: no clock, and the order is certain. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

describe("mapLimited", () => {
  test("gives the results in the order of the items, whichever ends first", async () => {
    const results = await mapLimited([9, 1, 5], 3, async (item, _signal, index) => {
      await turns(item);
      return [index, item];
    });
    expect(results).toEqual([
      [0, 9],
      [1, 1],
      [2, 5],
    ]);
  });

  test.each([
    [1, 1],
    [3, 3],
    [100, 8],
    [0, 1],
  ])("runs at most %d at a time, and that many (%d)", async (limit, most) => {
    let running = 0;
    let seen = 0;
    await mapLimited([1, 2, 3, 4, 5, 6, 7, 8], limit, async () => {
      seen = Math.max(seen, ++running);
      await turns(5);
      running--;
    });
    expect(seen).toBe(most);
  });

  test("has nothing to do for no items", async () => {
    expect(await mapLimited([], 3, () => Promise.reject(new Error("called")))).toEqual([]);
  });

  test("after a failure begins nothing, ends what runs, and throws what came first", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const copying = mapLimited([0, 1, 2, 3], 2, async (item, signal) => {
      begun.push(item);
      if (item === 0) {
        await turns(3);
        throw new Error("first");
      }
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      await turns(3);
      ended.push(item);
      throw new Error("second");
    });
    expect(await copying.catch((error: unknown) => error)).toEqual(new Error("first"));
    expect({ begun, ended }).toEqual({ begun: [0, 1], ended: [1] });
  });

  test("throws even if what was thrown is undefined", async () => {
    let failed = false;
    await mapLimited([1], 1, () => Promise.reject(undefined)).catch(() => {
      failed = true;
    });
    expect(failed).toBe(true);
  });
});

describe("mapInTurn", () => {
  test("gives the results in the order of the items, at most so many at a time", async () => {
    let running = 0;
    const results = await mapInTurn([9, 1, 5], 2, async (item, _signal, index) => {
      expect(++running).toBeLessThanOrEqual(2);
      await turns(item);
      running--;
      return [index, item];
    });
    expect(results).toEqual([
      [0, 9],
      [1, 1],
      [2, 5],
    ]);
  });

  test("after a failure ends what stands behind it, waits for what stands before, and begins nothing", async () => {
    const ended: number[] = [];
    const aborted: number[] = [];
    const copying = mapInTurn([0, 1, 2, 3, 4], 4, async (item, signal) => {
      if (item === 2) throw new Error("of the third");
      await turns(20);
      (signal.aborted ? aborted : ended).push(item);
      if (item === 3) throw new Error("because it was aborted");
    });
    expect(await copying.catch((error: unknown) => error)).toEqual(new Error("of the third"));
    expect({ ended, aborted }).toEqual({ ended: [0, 1], aborted: [3] });
  });

  test("throws the failure of the first item, whichever came first", async () => {
    const copying = mapInTurn([0, 1, 2], 3, async (item) => {
      if (item === 1) await turns(9);
      if (item > 0) throw new Error(`of ${item}`);
    });
    expect(await copying.catch((error: unknown) => error)).toEqual(new Error("of 1"));
  });
});
