import { describe, expect, test } from "bun:test";

import { compareVersions, parseConstraint, parseVersion } from "../../../core/sync/semver.ts";
import { failureOf } from "../../support/failure-of.ts";

function allows(constraint: string, version: string): boolean {
  const parsed = parseVersion(version);
  if (parsed === undefined) throw new Error(`${version} is no version`);
  return parseConstraint(constraint)(parsed);
}

describe("parseConstraint", () => {
  test.each([
    [">= 3.12.0", "3.12", true],
    [">= 3.12.0", "3.11.9", false],
    [">=1.2, <2", "1.9.9", true],
    [">=1.2, <2", "2.0.0", false],
    [">=1.2 <2", "2.0.0", false],
    ["~1.2", "1.2.9", true],
    ["~1.2", "1.3.0", false],
    ["~1", "1.9.0", true],
    ["^1.2.3", "1.9.0", true],
    ["^1.2.3", "2.0.0", false],
    ["^0.2.3", "0.2.9", true],
    ["^0.2.3", "0.3.0", false],
    ["^0.0.3", "0.0.4", false],
    ["^0.0", "0.0.9", true],
    ["^0", "0.9.0", true],
    ["1.2.x", "1.2.7", true],
    ["1.2.x", "1.3.0", false],
    ["1", "1.7.0", true],
    ["=1.2.3", "v1.2.3", true],
    ["!=1.2.3", "1.2.3", false],
    ["!=1.2", "1.2.9", false],
    ["!=1.2", "1.3.0", true],
    ["*", "7.7.7", true],
    ["1.1 - 1.3", "1.2.0", true],
    ["1.1 - 1.3", "1.4.0", false],
    ["<1 || >=3", "3.0.0", true],
    ["<1 || >=3", "2.0.0", false],
    [">11", "11.1.0", false],
    [">11", "12.0.0", true],
    [">11.1", "11.1.9", false],
    [">11.1", "11.2.0", true],
    ["<=1.2", "1.2.9", true],
    ["<=1.2", "1.3.0", false],
    ["<=1", "1.9.9", true],
    [">=1.0", "1.2.0-rc1", false],
    [">=1.0-0", "1.2.0-rc1", true],
    [">=1.0.0-alpha", "1.0.0-beta", true],
    [">=1.0.0-beta", "1.0.0-alpha", false],
  ])("%s allows %s: %p", (constraint, version, expected) => {
    expect(allows(constraint, version)).toBe(expected);
  });

  test.each(["abc", "", ">=", "1.2.3.4", "> 1 & < 2", "1 ||"])("refuses %j", (text) => {
    const failure = failureOf(() => parseConstraint(text));
    expect(failure).toMatchObject({ code: "usage", message: `improper constraint: ${text}` });
  });

  test("P6: hostile text is refused at once", () => {
    const started = performance.now();
    failureOf(() => parseConstraint(`${"1 - ".repeat(20_000)}x`));
    failureOf(() => parseConstraint(" ".repeat(100_000)));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("parseVersion", () => {
  test.each(["latest", "1.2.3.4", "", "1.", "x1", "1.2-", "1.0.0-01"])(
    "takes %j for none",
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
    },
  );

  test("orders versions, pre-releases before their release", () => {
    const sorted = [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1",
      "1.0.1",
      "v2",
    ];
    const versions = sorted.toReversed().flatMap((text) => parseVersion(text) ?? []);
    expect(versions.toSorted(compareVersions)).toEqual(
      sorted.flatMap((t) => parseVersion(t) ?? []),
    );
  });
});
