import { describe, expect, test } from "bun:test";
import {
  imageRecord,
  layerRecord,
  parseRecords,
} from "../../../transports/containers-storage/records.ts";
import { randomBytes } from "../../support/random.ts";
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

test.each(["../../etc", "/etc", "..", "", "a/b", "l", "tempdirs", "a".repeat(129)])(
  "an ID cannot lead elsewhere: %j",
  (id) => {
    expect(layerRecord(parsed({ id })).id).toBe("");
    expect(imageRecord(parsed({ id })).id).toBe("");
  },
);

test("records of any shape are read without a crash", () => {
  const random = randomBytes("records", 20_000);
  let at = 0;
  const next = (limit: number) => (random[at++ % random.length] ?? 0) % limit;
  const names = ["id", "names", "layer", "parent", "flags", "diff-digest", "diff-size", "metadata"];
  const value = (depth: number): unknown => {
    const scalars = [null, true, -1, 2 ** 60, "", "a", digest, "../x"];
    if (depth === 0 || next(3) > 0) return scalars[next(scalars.length)];
    const items = Array.from({ length: next(4) }, () => value(depth - 1));
    if (next(2) === 0) return items;
    return Object.fromEntries(items.map((item) => [names[next(names.length)], item]));
  };
  for (let count = 0; count < 500; count++) {
    const record = parsed(Object.fromEntries(names.map((name) => [name, value(3)])));
    const layer = layerRecord(record);
    expect(layer.diffSize ?? 0).toBeGreaterThanOrEqual(0);
    expect(imageRecord(record).names.every((name) => typeof name === "string")).toBe(true);
    expect(layer.id).not.toContain("/");
  }
});
