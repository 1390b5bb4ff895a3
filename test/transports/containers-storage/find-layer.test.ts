import { describe, expect, test } from "bun:test";
import type { BlobInfo } from "../../../core/cache/blob-info.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import { findLayer, isOfBlob } from "../../../transports/containers-storage/find-layer.ts";
import { layerRecord } from "../../../transports/containers-storage/records.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";

const place = new StorePlace("/g", "overlay");
const [content, blob, other] = ["a", "b", "c"].map((letter) => `sha256:${letter.repeat(64)}`) as [
  string,
  string,
  string,
];

function layers(record: object) {
  return new Map([["x", { place, record: layerRecord({ id: "x", ...record }) }]]);
}

describe("findLayer", () => {
  const full = { "diff-digest": content, "diff-size": 10, "compressed-diff-digest": blob };
  const find = (record: object, digest: string, size?: number, info?: BlobInfo) =>
    findLayer(
      { mediaType: "", digest: parseDigest(digest), ...(size !== undefined && { size }) },
      layers(record),
      info,
    );

  test("finds by digest, and knows the size where that is on record", async () => {
    expect(await find(full, content)).toMatchObject({ diffId: content, size: 10 });
    expect(await find(full, blob, 5)).toMatchObject({ diffId: content, size: 5 });
    // Nobody says how large it was.
    expect(await find(full, blob)).toBeUndefined();
    expect(await find(full, other, 5)).toBeUndefined();
  });

  test("finds by what others have seen", async () => {
    const info: BlobInfo = {
      note() {},
      candidates: async () => [
        { digest: parseDigest(other) },
        {
          digest: parseDigest(content),
          standIn: { compression: "none", uncompressed: parseDigest(content) },
        },
      ],
    };
    expect(await find(full, other, 7, info)).toMatchObject({ diffId: content, size: 7 });
  });
});

test.each([
  ["its content", `sha256:${"a".repeat(64)}`, 10, true],
  ["its content of another size", `sha256:${"a".repeat(64)}`, 11, false],
  ["the blob that it came as", `sha256:${"b".repeat(64)}`, 5, true],
  ["that blob of another size", `sha256:${"b".repeat(64)}`, 10, false],
  ["a blob of unknown size", `sha256:${"b".repeat(64)}`, undefined, true],
  ["anything else", `sha256:${"c".repeat(64)}`, 5, false],
])("isOfBlob knows a layer by %s", (_, digest, size, expected) => {
  const record = layerRecord({
    id: "x",
    "diff-digest": `sha256:${"a".repeat(64)}`,
    "diff-size": 10,
    "compressed-diff-digest": `sha256:${"b".repeat(64)}`,
    "compressed-size": 5,
  });
  expect(
    isOfBlob(record, { digest: parseDigest(digest), ...(size !== undefined && { size }) }),
  ).toBe(expected);
});

test("isOfBlob knows a layer by its table of contents, if its content has been checked", () => {
  const toc = `sha256:${"d".repeat(64)}`;
  const wanted = {
    digest: parseDigest(`sha256:${"c".repeat(64)}`),
    annotations: { "io.github.containers.zstd-chunked.manifest-checksum": toc },
  };
  const checked = { id: "x", "toc-digest": toc, "diff-digest": `sha256:${"a".repeat(64)}` };
  expect(isOfBlob(layerRecord(checked), wanted)).toBe(true);
  expect(isOfBlob(layerRecord({ id: "x", "toc-digest": toc }), wanted)).toBe(false);
  expect(isOfBlob(layerRecord({ ...checked, "toc-digest": checked["diff-digest"] }), wanted)).toBe(
    false,
  );
});
