import { describe, expect, test } from "bun:test";

import { chunkedAnnotations } from "../../../core/content/chunked-layer.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { contentFacts, type SeenContent } from "../../../core/copy/content-facts.ts";

const [read, written, diffId] = [1, 2, 3].map((size) => digestOf(new Uint8Array(size)));
if (read === undefined || written === undefined || diffId === undefined) throw new Error("no");
const names = new Map([
  [read, "read"],
  [written, "written"],
  [diffId, "diffId"],
]);

const annotations = {
  [chunkedAnnotations.tocDigest]: diffId,
  [chunkedAnnotations.tocPosition]: "1:2:3:1",
  [chunkedAnnotations.tarSplitPosition]: "4:5:6",
  other: "1",
};

/** Facts as `read=gzip` and `read~written`. */
function facts(seen: Partial<SeenContent>): string[] {
  const whole = { read, readAs: "none", written: read, writtenAs: undefined, diffId: undefined };
  return contentFacts({ ...whole, ...seen } as SeenContent).map((fact) => {
    const name = names.get(fact.digest);
    if (fact.kind === "compression") return `${name}=${fact.compression}`;
    if (fact.kind === "chunked") return `${name}: ${Object.keys(fact.annotations).length}`;
    return fact.kind === "content" ? `${name}~${names.get(fact.uncompressed)}` : fact.kind;
  });
}

describe("contentFacts", () => {
  test.each<[string, Partial<SeenContent>, string[]]>([
    ["uncompressed and stays so", {}, ["read=none", "read~read"]],
    ["compressed and stays so", { readAs: "gzip" }, ["read=gzip"]],
    ["compressed in a way that has no name here", { readAs: "xz" }, []],
    [
      "compressed on the way",
      { written, writtenAs: "gzip" },
      ["read=none", "read~read", "written=gzip", "written~read"],
    ],
    [
      "uncompressed on the way",
      { readAs: "zstd", written, writtenAs: "none" },
      ["read=zstd", "read~written", "written=none", "written~written"],
    ],
    ["compressed, and looked into", { readAs: "gzip", diffId }, ["read=gzip", "read~diffId"]],
    [
      "compressed in another way, and not looked into",
      { readAs: "gzip", written, writtenAs: "zstd" },
      ["read=gzip", "written=zstd"],
    ],
    [
      "compressed in another way, and looked into",
      { readAs: "gzip", written, writtenAs: "zstd", diffId, annotations: { other: "1" } },
      ["read=gzip", "read~diffId", "written=zstd", "written~diffId"],
    ],
    [
      "chunked on the way",
      { written, writtenAs: "zstd", annotations },
      ["read=none", "read~read", "written=zstd", "written~read", "written: 3"],
    ],
  ])("knows of a blob that is %s", (_, seen, expected) => {
    expect(facts(seen)).toEqual(expected);
  });
});
