import { describe, expect, test } from "bun:test";

import { checkAliases } from "../../../core/config/short-name-alias.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("checkAliases", () => {
  test("takes short names for full ones, and for nothing", () => {
    checkAliases({ a: "x.y/b", "a/b": "localhost/b", "a-c": "r:5000/b/c", gone: "" });
    checkAliases({ "ubi8-minimal": "registry.access.redhat.com/ubi8-minimal", a_b: "x.y/b_c.d" });
  });

  test.each([
    ["a", "b", 'invalid alias "b": must contain registry and repository'],
    ["a", "b/c", 'invalid alias "b/c": must contain registry and repository'],
    ["a", "x.y/b:1", 'invalid alias "x.y/b:1": must not contain tag'],
    ["a", `x.y/b@${digest}`, `invalid alias "x.y/b@${digest}": must not contain digest`],
    ["a", "x.y/B", 'parsing alias "x.y/B": repository name must be lowercase'],
    ["localhost/b", "x.y/b", 'invalid short name "localhost/b": must not contain registry'],
    ["x.y/b", "x.y/b", 'invalid short name "x.y/b": must not contain registry'],
    ["a:1", "x.y/b", 'invalid short name "a:1": must not contain tag'],
    ["A", "x.y/b", 'cannot parse short name: "A": repository name must be lowercase'],
    [
      "0".repeat(64),
      "x.y/b",
      `cannot parse short name: "${"0".repeat(64)}": invalid repository name (${"0".repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    ],
    [
      "a",
      `x.y/${"b".repeat(300)}`,
      `parsing alias "x.y/${"b".repeat(300)}": repository name must not be more than 255 characters`,
    ],
    ["a b", "x.y/b", 'cannot parse short name: "a b": invalid reference format'],
  ])("refuses %j for %j", (short, full, message) => {
    expect(failureOf(() => checkAliases({ [short]: full }))).toMatchObject({
      code: "config",
      message: `validating short-name aliases: ${message}`,
    });
  });
});
