// Path scopes: which keys policy.json may use for images under a path.

import { describe, expect, test } from "bun:test";
import { dir } from "../../../transports/dir/reference.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { checkPathScope, directoriesAbove } from "../../../transports/shared/path-scope.ts";
import { failureOf } from "../../support/failure-of.ts";

const words = { notAbsolute: "is relative", notCanonical: "try" };

describe("checkPathScope", () => {
  test.each(["/a", "/a/b", "/a b/c:d", "/..a"])("accepts %s", (scope) => {
    expect(() => checkPathScope(scope, words)).not.toThrow();
  });

  test.each([
    ["", "Invalid scope : is relative"],
    ["a/b", "Invalid scope a/b: is relative"],
    ["/", 'Invalid scope "/": Use the generic default scope ""'],
    ["/a/", "Invalid scope /a/: try /a"],
    ["//a", "Invalid scope //a: try /a"],
    ["/a/../b/.", "Invalid scope /a/../b/.: try /b"],
    ["//", "Invalid scope //: try /"],
  ])("refuses %p", (scope, message) => {
    const failure = failureOf(() => checkPathScope(scope, words));
    expect(failure).toMatchObject({ code: "config", message });
  });

  test("speaks the words of each transport", () => {
    expect(() => dir.checkPolicyScope("x")).toThrow("Invalid scope x: Must be an absolute path");
    expect(() => oci.checkPolicyScope("x")).toThrow("Invalid scope x: must be an absolute path");
    expect(() => dir.checkPolicyScope("/x/")).toThrow(
      "Invalid scope /x/: Uses non-canonical format, perhaps try /x",
    );
    expect(() => oci.checkPolicyScope("/x/")).toThrow(
      "Invalid scope /x/: Uses non-canonical path format, perhaps try with path /x",
    );
  });
});

describe("directoriesAbove", () => {
  test.each([
    ["/a/b/c", ["/a/b", "/a"]],
    ["/a", []],
    ["/", []],
  ])("of %s are %p", (path, expected) => {
    expect(directoriesAbove(path)).toEqual(expected);
  });
});
