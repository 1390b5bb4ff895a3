import { describe, expect, test } from "bun:test";

import type { BlobFact, CandidateWish } from "../../../core/cache/blob-info.ts";
import { candidatesIn } from "../../../core/cache/candidates.ts";
import { MemoryRecords } from "../../../core/cache/memory.ts";
import { type Digest, digestOf } from "../../../core/content/digest.ts";
import type { Compression } from "../../../core/content/media-types.ts";

const digest = (text: string) => digestOf(new TextEncoder().encode(text));
const [wanted, other, packed, content] = ["w", "o", "p", "c"].map(digest) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
const scope = { transport: "docker", scope: "r" };

const at = (of: Digest, location: string, within = scope): BlobFact => {
  return { kind: "location", scope: within, digest: of, location };
};
const same = (of: Digest): BlobFact => ({ kind: "content", digest: of, uncompressed: content });
const as = (of: Digest, compression: Compression): BlobFact => {
  return { kind: "compression", digest: of, compression };
};

function kept(...facts: BlobFact[]): MemoryRecords {
  const records = new MemoryRecords();
  records.keep(facts.map((fact, timeMs) => ({ fact, timeMs })));
  return records;
}

const names = new Map([
  [wanted, "wanted"],
  [other, "other"],
  [packed, "packed"],
  [content, "content"],
]);

/** Candidates as `what@where`, or `what` alone for those that nobody has seen. */
function found(records: MemoryRecords[], wish: Partial<CandidateWish> = {}): string[] {
  const compressions: readonly Compression[] = ["none", "gzip", "zstd"];
  return candidatesIn(records, { scope, digest: wanted, forms: compressions, ...wish }).map(
    (each) => {
      const name = names.get(each.digest) ?? "?";
      return each.location === undefined ? name : `${name}@${each.location}`;
    },
  );
}

describe("candidatesIn", () => {
  test("finds nothing where nothing is known", () => {
    expect(found([kept()])).toEqual([]);
  });

  test("finds the blob itself wherever it was seen, latest first, in this scope", () => {
    const elsewhere = at(wanted, "c", { transport: "docker", scope: "other" });
    expect(found([kept(at(wanted, "a"), at(wanted, "b"), elsewhere)])).toEqual([
      "wanted@b",
      "wanted@a",
    ]);
  });

  test("finds other bytes of the same content after it, the uncompressed ones last", () => {
    const records = kept(
      same(wanted),
      same(other),
      same(packed),
      as(other, "gzip"),
      as(packed, "zstd"),
      at(wanted, "w"),
      at(other, "o"),
      at(packed, "p"),
      at(content, "c"),
    );
    expect(found([records])).toEqual(["wanted@w", "packed@p", "other@o", "content@c"]);
    expect(found([records], { forms: ["gzip"] })).toEqual(["wanted@w", "other@o"]);
    expect(found([records], { forms: [] })).toEqual(["wanted@w"]);
  });

  test("says of a stand-in what it is", () => {
    const records = kept(same(wanted), same(other), as(other, "gzip"), at(other, "o"));
    expect(candidatesIn([records], { scope, digest: wanted, forms: ["gzip"] })).toEqual([
      { digest: other, location: "o", standIn: { compression: "gzip", uncompressed: content } },
    ]);
  });

  test("tells zstd from what is chunked, which will do for it", () => {
    const annotations = { some: "annotation" };
    const chunked: BlobFact = {
      kind: "chunked",
      digest: packed,
      annotations,
      uncompressed: content,
    };
    const records = kept(
      same(wanted),
      same(other),
      same(packed),
      as(other, "zstd"),
      as(packed, "zstd"),
      chunked,
      at(other, "o"),
      at(packed, "p"),
    );
    expect(found([records], { forms: ["zstd"] })).toEqual(["packed@p", "other@o"]);
    expect(candidatesIn([records], { scope, digest: wanted, forms: ["zstd:chunked"] })).toEqual([
      {
        digest: packed,
        location: "p",
        standIn: { compression: "zstd", uncompressed: content, annotations },
      },
    ]);
  });

  test.each([
    ["whose compression nobody knows", [same(wanted), same(other), at(other, "o")]],
    [
      "that is said to be uncompressed, and is not by its digest",
      [same(wanted), same(other), as(other, "none"), at(other, "o")],
    ],
    ["of other content", [same(wanted), as(other, "gzip"), at(other, "o")]],
  ])("finds nothing %s", (_, facts) => {
    expect(found([kept(...facts)], { forms: ["none", "gzip"] })).not.toContain("other@o");
  });

  test("finds two at most that nobody has seen here", () => {
    const records = kept(
      same(wanted),
      same(other),
      same(packed),
      as(other, "gzip"),
      as(packed, "gzip"),
    );
    expect(found([records]).length).toBe(2);
    expect(found([records])).not.toContain("content");
  });

  test("finds five at most", () => {
    const places = Array.from({ length: 9 }, (_, index) => at(wanted, `${index}`));
    expect(found([kept(...places, same(wanted), same(other), as(other, "gzip"))])).toEqual([
      "wanted@8",
      "wanted@7",
      "wanted@6",
      "wanted@5",
      "wanted@4",
    ]);
  });

  test("joins what is known in several places", () => {
    const first = kept(same(wanted), at(wanted, "a"));
    const second = kept(same(other), as(other, "gzip"), at(other, "o"), at(wanted, "a"));
    expect(found([first, second])).toEqual(["wanted@a", "other@o", "content"]);
  });
});
