// Names of images in layouts.

import { describe, expect, test } from "bun:test";
import { realpathSync } from "node:fs";
import { parseOciName } from "../../../transports/oci/name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

/** The part behind the path, as it is given and as it is spelled back. */
const names: readonly (readonly [string, string])[] = [
  ["", ":"],
  [":", ":"],
  [":latest", ":latest"],
  [":a:b", ":a:b"],
  [":docker.io/library/busybox:1@x", ":docker.io/library/busybox:1@x"],
  [":a--b", ":a--b"],
  [":a+b_c.d", ":a+b_c.d"],
  [":@0", ":@0"],
  [":@+1", ":@1"],
  [":@007", ":@7"],
  [":@-0", ":@0"],
];

describe("parseOciName", () => {
  test.each(names)("spells :PATH%s as :PATH%s", (given, spelled) => {
    using workspace = new Workspace();
    const path = workspace.at("layout");
    expect(parseOciName(`${path}${given}`)).toMatchObject({
      transport: "oci",
      text: `${path}${spelled}`,
      policyIdentity: `${realpathSync(workspace.path)}/layout`,
    });
  });

  test.each([
    [":!!", "Invalid image !!"],
    [":a//b", "Invalid image a//b"],
    [":/a", "Invalid image /a"],
    [":a---b", "Invalid image a---b"],
    [":a._b", "Invalid image a._b"],
    [":-a", "Invalid image -a"],
    [":a-", "Invalid image a-"],
    [":a\n", "Invalid image a\n"],
    [":ä", "Invalid image ä"],
    [":@x", 'Invalid source index @x: not an integer: strconv.Atoi: parsing "x": invalid syntax'],
    [":@", 'Invalid source index @: not an integer: strconv.Atoi: parsing "": invalid syntax'],
    [
      ":@99999999999999999999",
      'Invalid source index @99999999999999999999: not an integer: strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    [":@-1", "Invalid source index @-1: must not be negative"],
  ])("refuses :PATH%s", (given, message) => {
    using workspace = new Workspace();
    const failure = failureOf(() => parseOciName(`${workspace.at("layout")}${given}`));
    expect(failure).toMatchObject({ code: "usage", message });
  });

  test("P6: hostile names are refused quickly", () => {
    using workspace = new Workspace();
    const start = performance.now();
    for (const part of ["a-", "a", "-", "a/", "aa--"]) {
      failureOf(() => parseOciName(`${workspace.at("layout")}:${part.repeat(1024 * 1024)}!`));
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("its policy namespaces are the layout and the directories above", () => {
    using workspace = new Workspace();
    const { policyIdentity, policyNamespaces } = parseOciName(workspace.at("layout"));
    expect(policyNamespaces[0]).toBe(policyIdentity);
    expect(policyNamespaces[1]).toBe(realpathSync(workspace.path));
    expect(policyNamespaces).not.toContain("/");
  });
});
