import { describe, expect, test } from "bun:test";

import { editDistance, nearest } from "../../core/nearest.ts";

const known = ["docker", "dir", "oci", "docker-archive"];

describe("nearest", () => {
  test.each([
    ["dcoker", "docker"],
    ["Docker", "docker"],
    ["dockr", "docker"],
    ["docker-archiv", "docker-archive"],
    ["dirr", "dir"],
  ])("takes %j for %j", (word, meant) => {
    expect(nearest(word, known)).toBe(meant);
  });

  test.each(["https", "", "x", "docker-archive-of-old"])("takes %j for nothing", (word) => {
    expect(nearest(word, known)).toBeUndefined();
  });

  test("takes the first of those equally near", () => {
    expect(nearest("ac", ["ab", "ad"])).toBe("ab");
  });
});

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["same", "same", 0],
  ])("from %j to %j is %d", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
