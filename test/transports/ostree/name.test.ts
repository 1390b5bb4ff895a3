import { describe, expect, test } from "bun:test";
import { realpathSync } from "node:fs";
import { branchOf, checkScope, parseOstreeName } from "../../../transports/ostree/name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

describe("parseOstreeName", () => {
  test("adds the tag and finds the repository", () => {
    using workspace = new Workspace();
    const repository = realpathSync(workspace.path);
    expect(parseOstreeName(`some/image@${workspace.path}/.`)).toEqual({
      transport: "ostree",
      text: `some/image:latest@${repository}`,
      image: "some/image:latest",
      repository,
      policyIdentity: `${repository}:some/image:latest`,
      policyNamespaces: [`${repository}:some/image`, `${repository}:some`],
    });
  });

  test("goes by the system's repository where none is named", () => {
    expect(parseOstreeName("host:5000/a:1")).toMatchObject({
      text: "host:5000/a:1@/ostree/repo",
      policyNamespaces: ["/ostree/repo:host:5000/a", "/ostree/repo:host:5000"],
    });
  });

  test.each([
    ["", "usage"],
    ["UPPER", "usage"],
    [`a@sha256:${"a".repeat(64)}`, "usage"],
    ["a@/no/such/directory/at/all", "io"],
    ["a@/tmp/with:colon", "usage"],
  ])("refuses %p", (text, code) => {
    expect(failureOf(() => parseOstreeName(text))).toMatchObject({ code });
  });
});

test.each([
  ["test/nice:1", "ociimage/test_2Fnice_3A1"],
  ["a-b.c_d", "ociimage/a-b.c_5Fd"],
  ["ab12", "ociimage/ab12"],
])("branchOf %p is %p", (name, branch) => {
  expect(branchOf(name)).toBe(branch);
});

describe("checkScope", () => {
  test.each(["/ostree/repo:", "/ostree/repo:a/b", "/r:a:1"])("takes %p", (scope) => {
    expect(() => checkScope(scope)).not.toThrow();
  });

  test.each(["", "/ostree/repo", "relative:a", "/a//b:c", "/a/../b:c", "/a/:b"])(
    "refuses %p",
    (scope) => {
      expect(failureOf(() => checkScope(scope))).toMatchObject({ code: "config" });
    },
  );
});
