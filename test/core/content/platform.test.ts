import { describe, expect, test } from "bun:test";

import {
  detectVariant,
  goArchitecture,
  goOs,
  platformName,
  wantedPlatforms,
} from "../../../core/content/platform.ts";

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

describe("goOs and goArchitecture", () => {
  test.each([
    ["x64", "amd64"],
    ["ia32", "386"],
    ["arm64", "arm64"],
    ["mipsel", "mipsle"],
    ["ppc64", "ppc64le"],
    ["riscv64", "riscv64"],
  ])("call %j %j", (node, go) => {
    expect(goArchitecture(node)).toBe(go);
  });

  test("ask for the byte order where Node's name leaves it open", () => {
    expect(goArchitecture("ppc64", false)).toBe("ppc64");
  });

  test.each([
    ["linux", "linux"],
    ["win32", "windows"],
    ["darwin", "darwin"],
  ])("call %j %j", (node, go) => {
    expect(goOs(node)).toBe(go);
  });
});

describe("detectVariant", () => {
  test.each([
    ["8", "v8"],
    ["AArch64", "v8"],
    ["7", "v7"],
    ["7M", "v7"],
    ["?(12)", "v7"],
    ["?(17)", "v7"],
    ["?(18)", undefined],
    ["6", "v6"],
    ["6TEJ", "v6"],
    ["5TE", "v5"],
    ["4T", "v4"],
    ["3", "v3"],
    ["77", undefined],
    ["", undefined],
  ])("reads CPU architecture %j as %p", (version, variant) => {
    const cpuinfo = `processor\t: 0\nmodel name\t: ARM\nCPU architecture: ${version}\nCPU part : 1\n`;
    expect(detectVariant({ os: "linux", architecture: "arm", cpuinfo })).toBe(variant);
  });

  test("knows an ARMv6 that claims to be a 7", () => {
    const cpuinfo = "model name\t: ARMv6-compatible processor rev 7\nCPU architecture: 7\n";
    expect(detectVariant({ os: "linux", architecture: "arm", cpuinfo })).toBe("v6");
  });

  test("needs no file where there is none", () => {
    expect(detectVariant({ os: "darwin", architecture: "arm64" })).toBe("v8");
    expect(detectVariant({ os: "windows", architecture: "arm" })).toBe("v7");
    expect(detectVariant({ os: "linux", architecture: "arm64" })).toBeUndefined();
  });

  test("finds none on other machines, whatever the file says", () => {
    const cpuinfo = "CPU architecture: 8\n";
    expect(detectVariant({ os: "linux", architecture: "amd64", cpuinfo })).toBeUndefined();
  });
});
