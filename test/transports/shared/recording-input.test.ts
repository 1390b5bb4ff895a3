import { describe, expect, test } from "bun:test";
import { TarSplitEncoder } from "../../../core/blob/tar-split.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { RecordingInput } from "../../../transports/shared/recording-input.ts";
import { chunked } from "../../support/chunks.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = Buffer.from("0123456789abcdef");

function recorded(encoder: TarSplitEncoder): string {
  const lines = new TextDecoder().decode(encoder.take("all")).trim().split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => Buffer.from(JSON.parse(line).payload, "base64").toString())
    .join("|");
}

describe("RecordingInput", () => {
  test.each([1, 3, 16])("records all but content, %d bytes at a time", async (size) => {
    const encoder = new TarSplitEncoder();
    await using input = new RecordingInput(chunked(bytes, size), encoder);
    expect(Buffer.from(await input.take(3)).toString()).toBe("012");
    let content = "";
    while (content.length < 5) {
      content += Buffer.from(await input.content(5 - content.length)).toString();
    }
    expect([content, input.position]).toEqual(["34567", 8]);
    await input.skip(2);
    expect(Buffer.from(await input.take(0)).toString()).toBe("");
    expect(await input.end()).toBe(digestOf(bytes));
    expect(recorded(encoder)).toBe("01289abcdef");
    expect(input.position).toBe(16);
  });

  test("takes what is left, and passes over no more than that", async () => {
    await using input = new RecordingInput(chunked(bytes, 5), new TarSplitEncoder());
    expect((await input.take(100)).length).toBe(16);
    expect(await rejection(input.skip(1))).toMatchObject({ code: "corrupt" });
    expect(await rejection(Promise.resolve(input.content(1)))).toMatchObject({ code: "corrupt" });
  });

  test("releases what feeds it", async () => {
    let released = false;
    async function* feed() {
      try {
        yield bytes;
      } finally {
        released = true;
      }
    }
    {
      await using input = new RecordingInput(feed(), new TarSplitEncoder());
      await input.take(1);
    }
    expect(released).toBe(true);
  });
});
