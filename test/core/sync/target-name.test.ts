import { describe, expect, test } from "bun:test";

import { parseRenames } from "../../../core/sync/rename.ts";
import { failureOf } from "../../support/failure-of.ts";
import { ownName, targetName } from "../../../core/sync/target-name.ts";

describe("targetName", () => {
  test.each([
    ["docker.io/library/busybox:1", "host/m", false, "", "host/m/busybox:1"],
    ["docker.io/library/busybox:1", "host/m/", true, "-x", "host/m/docker.io/library/busybox:1-x"],
    ["q.io/a@sha256:0", "/d", false, "", "/d/a@sha256:0"],
    ["/x/y:1", "h/p", false, "", "h/p/y:1"],
    ["/x/y:1", "h/p", true, "", "h/p/x/y:1"],
    [".", "h/p", true, "", "h/p"],
  ])("of %s at %s, scoped %p, with %j: %s", (path, destination, scoped, suffix, expected) => {
    const naming = { destination, scoped, suffix, inLayout: false };
    expect(targetName({ path, below: path }, naming)).toBe(expected);
  });

  test.each([
    ["docker.io/library/busybox:1", false, "layout:busybox:1"],
    ["docker.io/library/busybox:1", true, "layout:docker.io/library/busybox:1"],
    ["/x/y:1", true, "layout:x/y:1"],
  ])("of %s in a layout, scoped %p: %s", (path, scoped, expected) => {
    const naming = { destination: "layout", scoped, suffix: "", inLayout: true };
    expect(targetName({ path, below: path }, naming)).toBe(expected);
  });
});

test.each(["../x:1", "a/../../x:1", "/../x"])(
  "C8: %s does not lead out of the destination",
  (to) => {
    const naming = { destination: "d", scoped: false, suffix: "", inLayout: false };
    const failure = failureOf(() => targetName({ path: "a:1", below: "a:1", to }, naming));
    expect(failure).toMatchObject({ code: "refused" });
  },
);

describe("ownName", () => {
  const image = { path: "docker.io/library/a:1", below: "library/a:1" };
  const naming = { scoped: false, suffix: "-x" };

  test("takes the name that was given for one image, scoped or not", () => {
    expect(ownName({ ...image, to: "other/c:2" }, { ...naming, scoped: true })).toBe("other/c:2-x");
  });

  test("changes all of a name below the registry, and the registry's where that counts", () => {
    const rename = parseRenames(["s|library/|mirror/|"]);
    expect(ownName(image, { ...naming, rename })).toBe("mirror/a:1-x");
    expect(ownName(image, { ...naming, scoped: true, rename })).toBe("docker.io/mirror/a:1-x");
  });
});
