import { describe, expect, test } from "bun:test";
import {
  imageRecord,
  layerRecord,
  parseRecords,
} from "../../../transports/containers-storage/records.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = `sha256:${"a".repeat(64)}`;

function parsed(value: unknown) {
  const [record = {}] = parseRecords(new TextEncoder().encode(JSON.stringify([value])), "/p");
  return record;
}

describe("parseRecords", () => {
  test("takes an empty file, and one that says null, for none", () => {
    expect(parseRecords(new Uint8Array(), "/p")).toEqual([]);
    expect(parseRecords(new TextEncoder().encode("null"), "/p")).toEqual([]);
  });

  test.each(["{}", "[1]", '"x"', "[{}", "[{}] x"])("refuses %s", (text) => {
    const failure = failureOf(() => parseRecords(new TextEncoder().encode(text), "/p"));
    expect(failure).toMatchObject({ code: "corrupt" });
  });
});

test("layerRecord reads what is there, and nothing else", () => {
  const full = {
    id: "b".repeat(64),
    parent: "c".repeat(64),
    "diff-digest": digest,
    "diff-size": 7,
    "compressed-diff-digest": digest,
    "compressed-size": 5,
    "toc-digest": digest,
    flags: { incomplete: true, "expected-layer-diffid": digest },
  };
  expect(layerRecord(parsed(full))).toMatchObject({
    id: full.id,
    parent: full.parent,
    diffSize: 7,
    compressedSize: 5,
    incomplete: true,
  });
  const broken = { id: 1, "diff-digest": "md5:1", "diff-size": -1, flags: 3 };
  const { json: _, ...rest } = layerRecord(parsed(broken));
  expect(rest).toEqual({ id: "", incomplete: false });
});

test("imageRecord reads what is there, and nothing else", () => {
  const full = {
    id: "b".repeat(64),
    names: ["x", 1],
    layer: "c",
    metadata: "{}",
    "big-data-names": ["manifest"],
    "big-data-digests": { manifest: digest, odd: "md5:1" },
  };
  const record = imageRecord(parsed(full));
  expect(record).toMatchObject({ names: ["x"], layer: "c", bigDataNames: ["manifest"] });
  expect(Array.from(record.bigDataDigests)).toEqual([["manifest", digest]] as never);
  expect(imageRecord(parsed({}))).toMatchObject({ id: "", names: [], metadata: "" });
});

test.each(["../../etc", "/etc", "..", "", "a/b"])("an ID cannot lead elsewhere: %j", (id) => {
  expect(layerRecord(parsed({ id })).id).toBe("");
  expect(imageRecord(parsed({ id })).id).toBe("");
});
