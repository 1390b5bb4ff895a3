import { describe, expect, test } from "bun:test";

import { platformName, wantedPlatforms } from "../../../core/content/platform.ts";

describe("wantedPlatforms", () => {
  test.each([
    ["linux/amd64", ["linux/amd64"]],
    ["linux/arm", ["linux/arm", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
    ["linux/arm/v6", ["linux/arm/v6", "linux/arm/v5", "linux/arm"]],
    ["linux/arm/v8", ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/arm"]],
    ["linux/arm/v9", ["linux/arm/v9", "linux/arm"]],
    ["linux/arm64", ["linux/arm64", "linux/arm64/v8"]],
    ["linux/arm64/v8", ["linux/arm64/v8", "linux/arm64"]],
    ["windows/amd64/v2", ["windows/amd64/v2", "windows/amd64"]],
    ["linux/amd64/", ["linux/amd64"]],
  ])("for %s are %j", (wish, wanted) => {
    const [os = "", architecture = "", variant] = wish.split("/");
    const platform = { os, architecture, ...(variant !== undefined && { variant }) };
    expect(wantedPlatforms(platform).map(platformName)).toEqual(wanted);
  });
});
