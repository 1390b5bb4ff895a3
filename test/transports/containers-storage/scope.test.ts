import { describe, expect, test } from "bun:test";
import { checkScope } from "../../../transports/containers-storage/scope.ts";
import { failureOf } from "../../support/failure-of.ts";

const id = "0123456789abcdef".repeat(4);

describe("checkScope", () => {
  test.each([
    "[/g]",
    "[overlay@/g]",
    "[overlay@/g]docker.io/library/x",
    "[overlay@/g]docker.io/library/x:1",
    `[overlay@/g]docker.io/library/x@sha256:${id}`,
    `[overlay@/g]docker.io/library/x@${id}`,
    `[overlay@/g]@${id}`,
    `[overlay@/g]x:1@sha256:${id}@${id}`,
  ])("takes %s", (scope) => {
    checkScope(scope);
  });

  test.each([
    ["docker.io/library/x", "invalid reference"],
    ["[/g", "invalid reference"],
    ["[]", "invalid reference"],
    ["[@/g]", "invalid reference"],
    ["[overlay@g]", "path name is not absolute"],
    ["[overlay]", "path name is not absolute"],
    ["[/g]x@y", "y is neither a valid digest("],
    [`[/g]x@y@${id}`, "invalid checksum digest format"],
    [`[/g]x@sha256:${id}@y`, "image IDs have"],
    [`[/g]x@sha256:${id}@${id}@${id}`, "invalid reference"],
  ])("refuses %s", (scope, message) => {
    const failure = failureOf(() => checkScope(scope));
    expect(failure).toMatchObject({ code: "config", message: expect.stringContaining(message) });
  });
});
