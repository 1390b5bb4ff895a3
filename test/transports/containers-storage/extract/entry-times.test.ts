import { expect, test } from "bun:test";
import { streamOf } from "../../../../core/blob/stream.ts";
import { timesOf } from "../../../../transports/containers-storage/extract/entry-times.ts";
import { StreamInput } from "../../../../core/blob/tar-input.ts";
import { tarEntries } from "../../../../core/blob/tar-reader.ts";
import { tarOf } from "../../../support/tar-bytes.ts";

test.each([
  ["1700000000.25", undefined, 1_700_000_000_250_000_000n, 1_700_000_000_250_000_000n],
  ["5", "7.000000001", 5_000_000_000n, 7_000_000_001n],
  ["7", "5", 7_000_000_000n, 7_000_000_000n],
  ["-1", undefined, 0n, 0n],
  ["-0.5", "3", 0n, 3_000_000_000n],
  ["9223372036", undefined, 9_223_372_036_000_000_000n, 9_223_372_036_000_000_000n],
  ["9223372037", undefined, 0n, 0n],
])("timesOf mtime %p and atime %p", async (mtime, atime, modifiedNs, accessedNs) => {
  const pax = { mtime, ...(atime === undefined ? {} : { atime }) };
  const input = new StreamInput(streamOf(tarOf([{ path: "x", pax }])));
  for await (const entry of tarEntries(input)) {
    expect(timesOf(entry)).toEqual({ accessedNs, modifiedNs });
  }
});
