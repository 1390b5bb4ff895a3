import { describe, expect, test } from "bun:test";

import { Failure } from "../../core/failure.ts";
import { wholeIfSmall } from "../../core/http-body.ts";
import { limits } from "../../core/limits.ts";
import { rejection } from "../support/rejection.ts";

const { signal } = new AbortController();

async function* pieces(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size).fill(size);
}

describe("wholeIfSmall", () => {
  test("gives a small body whole", async () => {
    const whole = await wholeIfSmall({ bytes: pieces(1, 2), size: 3, signal });
    expect(whole).toEqual(new Uint8Array([1, 2, 2]));
    expect(await wholeIfSmall({ bytes: pieces(), size: 0, signal })).toEqual(new Uint8Array());
  });

  test.each([undefined, limits.smallBodyBytes + 1])(
    "leaves one of %p bytes as it is",
    async (size) => {
      const bytes = pieces(1);
      expect(await wholeIfSmall({ bytes, size, signal })).toBe(bytes);
    },
  );

  test("fails as the body does", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Failure("io", "broken");
    };
    const failure = await rejection(wholeIfSmall({ bytes: broken(), size: 2, signal }));
    expect(failure.message).toBe("broken");
  });

  test("does not wait for a body that does not come, once it is aborted", async () => {
    const stop = new AbortController();
    const stuck = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      stop.abort(new Failure("canceled", "enough"));
      await new Promise(() => {});
    };
    const bytes = stuck();
    const failure = await rejection(wholeIfSmall({ bytes, size: 2, signal: stop.signal }));
    expect(failure.message).toBe("enough");
    expect((await rejection(wholeIfSmall({ bytes, size: 2, signal: stop.signal }))).message).toBe(
      "enough",
    );
  });
});
