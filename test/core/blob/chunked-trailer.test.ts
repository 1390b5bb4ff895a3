import { expect, test } from "bun:test";

import { ChunkedTrailer } from "../../../core/blob/chunked-trailer.ts";
import { readTar } from "../../../core/blob/tar-reader.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { readTrailer } from "../../support/chunked-layer.ts";
import { tarOf } from "../../support/tar-bytes.ts";

const archive = tarOf([{ path: "a/", kind: "directory" }, { path: "b" }]);

async function collected(): Promise<ChunkedTrailer> {
  const trailer = new ChunkedTrailer();
  for await (const { entry } of readTar(streamOf(archive))) {
    await trailer.raw(archive.subarray(entry.start, entry.offset));
    await trailer.entry(entry);
  }
  return trailer;
}

test("ChunkedTrailer leads to what stands behind the content", async () => {
  const content = new Uint8Array(1000);
  const written = await (await collected()).end(content.length);
  if (written === undefined) throw new Error("nothing is written");
  const layer = Buffer.concat([content, ...written.frames]);
  const { entries, tarSplit } = readTrailer(layer, written.annotations);
  expect(entries.map(({ type, name }) => `${type} ${name}`)).toEqual(["dir a/", "reg b"]);
  expect(tarSplit.trim().split("\n").length).toBe(4);
});

test("ChunkedTrailer refuses a name that comes twice", async () => {
  const trailer = await collected();
  for await (const { entry } of readTar(streamOf(archive))) {
    await expect(trailer.entry(entry)).rejects.toThrow("duplicates of file paths");
  }
});

test("ChunkedTrailer has nothing to say of nothing", async () => {
  expect(await new ChunkedTrailer().end(0)).toBeUndefined();
});
