import { describe, expect, test } from "bun:test";

import { PieceLimit } from "../../../transports/docker/piece-limit.ts";

const MiB = 1024 * 1024;

describe("PieceLimit", () => {
  test("limits nothing as long as nothing is known", () => {
    expect(new PieceLimit().bytes).toBeUndefined();
  });

  test.each([
    [Infinity, 64 * MiB],
    [64 * MiB + 1, 64 * MiB],
    [64 * MiB, 16 * MiB],
    [1 * MiB, MiB / 4],
    [100_000, 64 * 1024],
  ])("after %d bytes were refused, %d are next", (refused, next) => {
    const limit = new PieceLimit();
    expect(limit.lower(refused, 0)).toBe(true);
    expect(limit.bytes).toBe(next);
  });

  test("ends where nothing smaller makes sense", () => {
    expect(new PieceLimit().lower(64 * 1024, 0)).toBe(false);
    expect(new PieceLimit().lower(5 * MiB, 5 * MiB)).toBe(false);
  });

  test("does not go below what the registry asks for", () => {
    const limit = new PieceLimit();
    expect(limit.lower(6 * MiB, 5 * MiB)).toBe(true);
    expect(limit.bytes).toBe(5 * MiB);
  });

  test("is lowered once by blobs that were refused at the same time", () => {
    const limit = new PieceLimit();
    for (const refused of [Infinity, 200 * MiB, 65 * MiB]) limit.lower(refused, 0);
    expect(limit.bytes).toBe(64 * MiB);
    for (const refused of [64 * MiB, 200 * MiB]) limit.lower(refused, 0);
    expect(limit.bytes).toBe(16 * MiB);
  });

  test("is kept to, but not raised", () => {
    const limit = new PieceLimit();
    limit.keepTo(10);
    limit.keepTo(20);
    expect(limit.bytes).toBe(10);
  });
});
