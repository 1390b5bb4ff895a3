// Windows on files.

import { describe, expect, test } from "bun:test";
import { withWindow } from "../../support/sif-files.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";

const bytes = new TextEncoder().encode("0123456789");

describe("FileWindow", () => {
  test("reads where it is told, and counts from its own start", async () => {
    await withWindow(bytes, async (window) => {
      expect((await window.read(2, 3)).toString()).toBe("234");
      expect((await window.part(4, 5).part(1, 3).read(1, 2)).toString()).toBe("67");
      expect((await window.read(10, 0)).length).toBe(0);
    });
  });

  test.each([
    [8, 3],
    [-1, 2],
    [0, -1],
    [2 ** 60, 2 ** 60],
    [Number.NaN, 1],
  ])("P1: refuses to read at %d for %d bytes", async (at, size) => {
    await withWindow(bytes, async (window) => {
      expect(await rejection(window.read(at, size))).toMatchObject({ code: "corrupt" });
      expect(failureOf(() => window.part(at, size))).toMatchObject({ code: "corrupt" });
    });
  });
});
