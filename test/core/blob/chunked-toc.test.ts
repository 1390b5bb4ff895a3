import { describe, expect, test } from "bun:test";

import { tocEnd, tocEntry, tocStart } from "../../../core/blob/chunked-toc.ts";
import { readTar, type TarEntry } from "../../../core/blob/tar-reader.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { tarOf, type TarEntry as Written } from "../../support/tar-bytes.ts";

const digest = digestOf(new Uint8Array());

async function entryOf(written: Written): Promise<TarEntry> {
  for await (const { entry } of readTar(streamOf(tarOf([written])))) return entry;
  throw new Error("no entry");
}

describe("tocEntry", () => {
  test("says of a file in one piece where it is, and nothing of pieces", async () => {
    const entry = await entryOf({ path: "a", body: Buffer.from("abc") });
    const chunks = [{ digest, contentBytes: 3, start: 10, end: 20 }];
    expect(JSON.parse(tocEntry(entry, { digest, chunks }))).toEqual({
      type: "reg",
      name: "a",
      mode: 0o644,
      size: 3,
      modtime: "1970-01-01T00:00:00Z",
      digest,
      offset: 10,
      endOffset: 20,
    });
  });

  test.each([
    ["0", "1970-01-01T00:00:00Z"],
    ["1.000000001", "1970-01-01T00:00:01.000000001Z"],
    ["-1.25", "1969-12-31T23:59:58.75Z"],
    ["253402300799", "9999-12-31T23:59:59Z"],
  ])("writes the time %s as %s", async (mtime, text) => {
    const entry = await entryOf({ path: "a", pax: { mtime } });
    expect(JSON.parse(tocEntry(entry)).modtime).toBe(text);
  });

  test.each(["253402300800", "-62167219201", "999999999999999999"])(
    "has no words for the time %s",
    async (mtime) => {
      const entry = await entryOf({ path: "a", pax: { mtime } });
      expect(() => tocEntry(entry)).toThrow("no words for this time");
    },
  );

  test("makes a document with what stands around the entries", async () => {
    const one = tocEntry(await entryOf({ path: 'a"<&>', kind: "directory" }));
    const document = JSON.parse(`${tocStart}${one},${one}${tocEnd(digest)}`);
    expect(document).toMatchObject({ version: 1, tarSplitDigest: digest });
    expect(document.entries.map(({ name }: { name: string }) => name)).toEqual(['a"<&>', 'a"<&>']);
  });
});
