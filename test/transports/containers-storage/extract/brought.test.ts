import { describe, expect, test } from "bun:test";
import { Brought } from "../../../../transports/containers-storage/extract/brought.ts";

describe("Brought", () => {
  test("knows what was brought, and what leads there", () => {
    const brought = new Brought();
    for (const path of ["a/b/c", "a/b/d", "e"]) brought.add(path);
    const paths = ["a", "a/b", "a/b/c", "a/b/d", "e", "a/b/cc", "b", "ee", ""];
    expect(paths.filter((path) => brought.has(path))).toEqual(["a/b/c", "a/b/d", "e"]);
    const above = ["a", "a/b", "a/b/c", "a/b/d", "e"];
    expect(paths.filter((path) => brought.holds(path))).toEqual(above);
  });
});
