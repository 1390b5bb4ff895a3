import { describe, expect, test } from "bun:test";

import { RecordedInput } from "../../../core/blob/recorded-input.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { chunked } from "../../support/chunks.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = new Uint8Array(100).map((_, index) => index);

describe("RecordedInput", () => {
  test.each([1, 7, 100])("gives back all that was read, of chunks of %d bytes", async (size) => {
    await using input = new RecordedInput(chunked(bytes, size));
    await input.take(10);
    await input.skip(20);
    expect([...input.recorded()]).toEqual([...bytes.subarray(0, 30)]);
    await input.skip(5);
    expect([...input.recorded()]).toEqual([...bytes.subarray(30, 35)]);
    expect(input.recorded().length).toBe(0);
    expect((await input.take(1000)).length).toBe(65);
    expect([...input.recorded()]).toEqual([...bytes.subarray(35)]);
    expect(input.position).toBe(100);
  });

  test("keeps what it has read when the archive is cut off", async () => {
    await using input = new RecordedInput(streamOf(bytes));
    expect((await rejection(input.skip(101))).code).toBe("corrupt");
    expect([...input.recorded()]).toEqual([...bytes]);
    expect(input.failed).toBe(false);
  });

  test("tells when the stream has failed, rather than its reader", async () => {
    const failing = async function* () {
      yield bytes;
      throw new Failure("unavailable", "broken off");
    };
    await using input = new RecordedInput(failing());
    expect((await rejection(input.skip(101))).message).toBe("broken off");
    expect(input.failed).toBe(true);
  });

  test("does not record for ever", async () => {
    const endless = async function* () {
      for (;;) yield new Uint8Array(1024 * 1024);
    };
    await using input = new RecordedInput(endless());
    const failure = await rejection(input.skip(1e9));
    expect(failure).toMatchObject({ code: "unsupported" });
  });
});
