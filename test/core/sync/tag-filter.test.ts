import { describe, expect, test } from "bun:test";

import type { TagFilter } from "../../../core/sync/sync-file.ts";
import { chosenImages, tagChoice } from "../../../core/sync/tag-filter.ts";
import { failureOf } from "../../support/failure-of.ts";

const tags = ["latest", "1.0", "1.1", "1.2-rc1", "v2", "v2.0.0", "10.0", "nightly-1"];

describe("chosenImages", () => {
  test("chooses in each repository for itself, and keeps what has no tag", () => {
    const images = ["a:1", "a:2", "b:1", "c@sha256:0"].map((path) => {
      return path.includes("@") ? { path } : { path, tag: path.slice(2) };
    });
    const chosen = chosenImages(images, tagChoice({ include: [], exclude: [], newest: 1 }));
    expect(chosen.map(({ path }) => path)).toEqual(["a:2", "b:1", "c@sha256:0"]);
  });
});

describe("tagChoice", () => {
  test.each<[Partial<TagFilter>, readonly string[]]>([
    [{}, tags],
    [{ include: ["^v", "^1\\."] }, ["1.0", "1.1", "1.2-rc1", "v2", "v2.0.0"]],
    [{ exclude: ["rc", "nightly"] }, ["latest", "1.0", "1.1", "v2", "v2.0.0", "10.0"]],
    [{ include: ["1"], exclude: ["0"] }, ["1.1", "1.2-rc1", "nightly-1"]],
    [{ semver: ">=1.1" }, ["1.1", "v2", "v2.0.0", "10.0"]],
    [{ semver: ">=1.1-0" }, ["1.1", "1.2-rc1", "v2", "v2.0.0", "10.0"]],
    [{ newest: 2 }, ["v2.0.0", "10.0"]],
    [{ newest: 1, semver: "<10, >1-0" }, ["v2.0.0"]],
    [{ newest: 1, include: ["^1\\."] }, ["1.1"]],
    [{ newest: 100 }, ["1.0", "1.1", "v2", "v2.0.0", "10.0"]],
  ])("%j", (filter, expected) => {
    expect(tagChoice({ include: [], exclude: [], ...filter })(tags)).toEqual(expected);
  });

  test("looks for what is newest among what all filters take", () => {
    const [some, others] = [
      { include: [], exclude: ["^10"], newest: 5 },
      { include: ["^v|0"], exclude: [], newest: 2 },
    ];
    expect(tagChoice(some, others)(tags)).toEqual(["v2", "v2.0.0"]);
  });

  test("says which pattern is none", () => {
    expect(failureOf(() => tagChoice({ include: ["("], exclude: [] }))).toMatchObject({
      message: "include: error parsing regexp: missing closing ): `(`",
    });
  });
});
