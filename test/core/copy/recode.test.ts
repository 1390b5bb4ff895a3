import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import type { BlobStep, Recoding } from "../../../core/copy/plan.ts";
import { compressionIn, proving, targetOf } from "../../../core/copy/recode.ts";

const digest = digestOf(new Uint8Array([1]));

function stepOf(recoding: Recoding): BlobStep {
  const blob = { mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest, size: 1 };
  return { blob, role: "layer", recoding, needsDiffId: false, reusable: true };
}

const anew = (to: "gzip" | "zstd" | "zstd:chunked") =>
  ({ kind: "compress", to, anew: true }) as const;
const usual = { kind: "compress", to: "gzip", anew: false } as const;

describe("targetOf", () => {
  test.each([
    ["nothing is to be done", { kind: "none" }, "gzip", undefined],
    ["it is to be uncompressed", { kind: "decompress" }, "zstd", "none"],
    ["it is uncompressed already", { kind: "decompress" }, "none", undefined],
    ["it is to be compressed", usual, "none", "gzip"],
    ["it is compressed in some way, and nobody asked for another", usual, "zstd", undefined],
    ["it is compressed in another way than asked for", anew("zstd"), "gzip", "zstd"],
    ["it is as asked for", anew("zstd"), "zstd", undefined],
    ["it is zstd, and says of no chunks", anew("zstd:chunked"), "zstd", "zstd:chunked"],
  ] as const)("judges a layer by its bytes: %s", (_, recoding, found, target) => {
    expect(targetOf(stepOf(recoding), found)).toBe(target);
  });
});

test("compressionIn takes chunks for what they are made of", () => {
  expect([compressionIn("zstd:chunked"), compressionIn("gzip")]).toEqual(["zstd", "gzip"]);
});

describe("proving", () => {
  const { blob } = stepOf({ kind: "none" });

  test.each(["bzip2", "xz"] as const)("proves nothing of %s, which nobody reads", async (found) => {
    expect(await proving(blob, found, async () => digest)).toBeUndefined();
  });

  test("proves nothing where no config says what a layer holds", async () => {
    expect(await proving(blob, "gzip", async () => undefined)).toBeUndefined();
  });
});
