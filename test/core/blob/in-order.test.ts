import { describe, expect, test } from "bun:test";

import { inOrder } from "../../../core/blob/in-order.ts";
import { Failure } from "../../../core/failure.ts";
import { rejection } from "../../support/rejection.ts";

async function* numbers(count: number): AsyncGenerator<number> {
  for (let each = 0; each < count; each += 1) yield each;
}

describe("inOrder", () => {
  test.each([0, 1, 2, 4, undefined])("gives results in order with %p at once", async (atOnce) => {
    const begin = async (piece: number) => {
      await Bun.sleep(piece % 3);
      return piece * 2;
    };
    const results = await Array.fromAsync(inOrder(numbers(10), { begin, atOnce }));
    expect(results).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  test("has only some pieces in work, of all streams together", async () => {
    let now = 0;
    let most = 0;
    const begin = async () => {
      most = Math.max(most, ++now);
      await Bun.sleep(1);
      now -= 1;
    };
    const streams = Array.from({ length: 6 }, () => inOrder(numbers(20), { begin }));
    await Promise.all(streams.map((each) => Array.fromAsync(each)));
    // Three together, and each of six may have one beyond that.
    expect(most).toBeLessThanOrEqual(9);
    expect(most).toBeGreaterThan(2);
  });

  test("throws a failure that came early when its turn has come, and nothing before", async () => {
    const begin = async (piece: number) => {
      await Bun.sleep(piece === 0 ? 10 : 0);
      if (piece === 1) throw new Failure("io", "no");
      return piece;
    };
    const seen: number[] = [];
    const reading = async () => {
      for await (const result of inOrder(numbers(3), { begin })) seen.push(result);
    };
    expect((await rejection(reading())).message).toBe("no");
    expect(seen).toEqual([0]);
  });
});
