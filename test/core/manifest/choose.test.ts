import { describe, expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import type { PlatformWish } from "../../../core/content/platform.ts";
import { chooseInstance } from "../../../core/manifest/choose.ts";
import { failureOf } from "../../support/failure-of.ts";
import {
  dockerListSample,
  entrySample,
  listFrom,
  ociIndexSample,
  type Sample,
  someDigest,
} from "../../support/sample-manifests.ts";

const { dockerList, ociIndex } = manifestTypes;

function wishFor(text: string): PlatformWish {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

/** Entries with digests of their own, by position: `0`, `1`, … */
function numbered(entries: readonly Sample[]): Sample[] {
  return entries.map((entry, index) => ({ ...entry, digest: someDigest(`${index}`) }));
}

function chosenFrom(type: "index" | "list", entries: readonly Sample[], wish: string): number {
  const manifest =
    type === "index"
      ? listFrom(ociIndex, ociIndexSample(numbered(entries)))
      : listFrom(dockerList, dockerListSample(numbered(entries)));
  const { digest } = chooseInstance(manifest, wishFor(wish));
  return manifest.instances.findIndex((instance) => instance.digest === digest);
}

const zstd = { annotations: { "io.github.containers.compression.zstd": "true" } };
const arms = ["linux/arm/v5", "linux/arm/v7", "linux/arm", "linux/arm64/v8", "linux/arm64"].map(
  (platform) => entrySample(platform),
);

describe.each(["index", "list"] as const)("chooseInstance from an %s", (type) => {
  test.each([
    ["linux/arm", 2],
    ["linux/arm/v8", 1],
    ["linux/arm/v6", 0],
    ["linux/arm64", 4],
    ["linux/arm64/v8", 3],
    ["linux/arm64/v9", 4],
  ])("prefers for %s the entry %d", (wish, position) => {
    expect(chosenFrom(type, arms, wish)).toBe(position);
  });

  test("takes the first of equals", () => {
    const entries = [
      entrySample("linux/s390x"),
      entrySample("linux/amd64"),
      entrySample("linux/amd64"),
    ];
    expect(chosenFrom(type, entries, "linux/amd64")).toBe(1);
  });

  test("looks at nothing but the three names", () => {
    const odd = { architecture: "amd64", os: "linux", "os.version": "9", "os.features": ["x"] };
    expect(chosenFrom(type, [entrySample(undefined, { platform: odd })], "linux/amd64")).toBe(0);
  });

  test("says what was wanted and what there is", () => {
    const kind = type === "index" ? "image index" : "manifest list";
    expect(failureOf(() => chosenFrom(type, arms, "linux/riscv64"))).toMatchObject({
      code: "unsupported",
      message: `no image found in ${kind} for architecture "riscv64", variant "", OS "linux"`,
      hint: "it has linux/arm/v5, linux/arm/v7, linux/arm, linux/arm64/v8, linux/arm64: choose with --override-os, --override-arch, --override-variant",
    });
    expect(failureOf(() => chosenFrom(type, [], "linux/arm/v6"))).toMatchObject({
      message: `no image found in ${kind} for architecture "arm", variant "v6", OS "linux"`,
      hint: undefined,
    });
  });
});

describe("chooseInstance from an index", () => {
  test("prefers zstd among equals, but not before a better platform", () => {
    const gzip = entrySample("linux/arm64");
    const variant = entrySample("linux/arm64/v8", zstd);
    expect(chosenFrom("index", [gzip, entrySample("linux/arm64", zstd)], "linux/arm64")).toBe(1);
    expect(chosenFrom("index", [variant, gzip], "linux/arm64")).toBe(1);
  });

  test("takes an entry without a platform where no other suits", () => {
    const entries = [entrySample(undefined), entrySample("linux/amd64")];
    expect(chosenFrom("index", entries, "linux/amd64")).toBe(1);
    expect(chosenFrom("index", entries, "linux/s390x")).toBe(0);
  });
});

describe("chooseInstance from a list", () => {
  test("knows no zstd and no entries without a platform", () => {
    const entries = [entrySample("linux/amd64"), entrySample("linux/amd64", zstd)];
    expect(chosenFrom("list", entries, "linux/amd64")).toBe(0);
    expect(
      failureOf(() => chosenFrom("list", [entrySample(undefined)], "linux/amd64")),
    ).toMatchObject({
      code: "unsupported",
    });
  });
});
