import { describe, expect, test } from "bun:test";
import { layerRecord } from "../../../transports/containers-storage/records.ts";
import {
  type OtherHolders,
  superfluousLayers,
} from "../../../transports/containers-storage/superfluous-layers.ts";

/** `a` is the base of `b`, that of `c`; `b2` stands beside `b`. */
const layers = [
  { id: "a" },
  { id: "b", parent: "a" },
  { id: "c", parent: "b" },
  { id: "b2", parent: "a" },
].map((json) => layerRecord(json));

function idsOf(image: object, others: Partial<OtherHolders> = {}): readonly string[] {
  const all = { images: [], containers: [], layers, ...others };
  return superfluousLayers({ id: "i", ...image }, all).map(({ id }) => id);
}

describe("superfluousLayers", () => {
  const only = layers.filter(({ id }) => id !== "b2");

  test.each([
    ["all, if nobody else is there", { layer: "c" }, { layers: only }, ["c", "b", "a"]],
    ["none of an image without layers", {}, {}, []],
    ["none that are not there", { layer: "gone" }, {}, []],
    ["down to what has another layer above it", { layer: "c" }, {}, ["c", "b"]],
    ["down to the top of another image", { layer: "c" }, { images: [{ layer: "b" }] }, ["c"]],
    ["none that a container stands on", { layer: "c" }, { containers: [{ layer: "c" }] }, []],
    [
      "those for other owners, too",
      { layer: "c", "mapped-layers": ["b2"] },
      {},
      ["c", "b", "b2", "a"],
    ],
    [
      "none that another image has for other owners",
      { layer: "c" },
      { images: [{ layer: "x", "mapped-layers": ["c"] }] },
      [],
    ],
  ] as const)("returns %s", (_, image, others, ids) => {
    expect(idsOf(image, others)).toEqual([...ids]);
  });

  test("ends where layers go round", () => {
    const round = [
      { id: "a", parent: "b" },
      { id: "b", parent: "a" },
    ].map((json) => layerRecord(json));
    expect(idsOf({ layer: "a" }, { layers: round })).toEqual([]);
  });
});
