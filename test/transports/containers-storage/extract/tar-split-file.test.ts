import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { TarSplitEncoder } from "../../../../core/blob/tar-split.ts";
import { TarSplitFile } from "../../../../transports/containers-storage/extract/tar-split-file.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { Workspace } from "../../../support/workspace.ts";

test("TarSplitFile writes lines as they come, compressed", () => {
  using workspace = new Workspace();
  const path = workspace.at("x.tar-split.gz");
  {
    using file = new TarSplitFile(path);
    const encoder = new TarSplitEncoder();
    encoder.raw(new Uint8Array(1_000_000));
    encoder.file(new TextEncoder().encode("a"));
    file.write(encoder, "enough");
    encoder.raw(new Uint8Array(3));
    file.write(encoder, "enough");
    file.write(encoder, "all");
  }
  const lines = gunzipSync(readFileSync(path)).toString().split("\n");
  expect(lines.map((line) => line.slice(0, 9))).toEqual([
    '{"type":2',
    '{"type":1',
    '{"type":2',
    "",
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(failureOf(() => new TarSplitFile(path))).toMatchObject({ code: "io" });
});
