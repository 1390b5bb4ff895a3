import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { withoutHiddenError } from "../../../transports/docker-daemon/hidden-error.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";

const error = '{"errorDetail":{"message":"no space left"},"error":"no space left"}\r\n';
const archive = Buffer.concat([randomBytes("archive", 20_000), new Uint8Array(1024)]);

describe("withoutHiddenError", () => {
  test.each([1, 1000, 20_000, 100_000])(
    "O1: finds it behind half an archive, by %d bytes",
    async (size) => {
      const bytes = Buffer.concat([archive.subarray(0, 15_000), Buffer.from(error)]);
      const failure = await rejection(collect(withoutHiddenError(chunked(bytes, size)), 1e6));
      expect(failure).toMatchObject({
        code: "refused",
        message: 'docker engine reported: "no space left"',
      });
    },
  );

  test.each([
    ["an archive", archive],
    ["half an archive", archive.subarray(0, 15_000)],
    ["an archive that holds such a line", Buffer.concat([Buffer.from(error), archive])],
    ["something like it", Buffer.from('{"errorDetail":{"mess')],
    ["nothing", Buffer.alloc(0)],
  ])("passes %s on", async (_, bytes) => {
    const passed = await collect(withoutHiddenError(chunked(bytes, 4096)), 1e6);
    expect(Buffer.compare(passed, bytes)).toBe(0);
  });
});
