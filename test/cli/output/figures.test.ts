// Figures: spans of time and sizes, as they are printed.

import { describe, expect, test } from "bun:test";

import { readDuration } from "../../../cli/flags/literals.ts";
import { renderDuration } from "../../../cli/output/duration.ts";
import { renderSize } from "../../../cli/output/size.ts";

describe("renderDuration", () => {
  test.each([
    "0s",
    "1s",
    "1.5s",
    "100ms",
    "1m0s",
    "1m30s",
    "1h0m0s",
    "2h45m0.5s",
    "-3s",
    "10µs",
    "7ns",
  ])("prints %s as Go does", (text) => {
    expect(renderDuration(readDuration(text))).toBe(text);
  });
});

describe("renderSize", () => {
  test.each([
    [0, "0B"],
    [1023, "1023B"],
    [1024, "1.0KiB"],
    [1536, "1.5KiB"],
    [1024 * 1024 - 1, "1.0MiB"],
    [5 * 1024 ** 3, "5.0GiB"],
    [3 * 1024 ** 5, "3072.0TiB"],
  ])("prints %d as %s", (bytes, text) => {
    expect(renderSize(bytes)).toBe(text);
  });
});
