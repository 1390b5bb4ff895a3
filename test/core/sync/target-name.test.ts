import { describe, expect, test } from "bun:test";

import { ownName, targetName } from "../../../core/sync/target-name.ts";
import type { SyncImage } from "../../../core/sync/sync-image.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { transportContext } from "../../support/transport-context.ts";

function image(path: string, to?: string): SyncImage {
  const reference = new MemoryTransport().parseReference(path);
  return { reference, context: transportContext(), path, ...(to !== undefined && { to }) };
}

describe("targetName", () => {
  test.each([
    ["docker.io/library/busybox:1", "host/m", false, "", "host/m/busybox:1"],
    ["docker.io/library/busybox:1", "host/m/", true, "-x", "host/m/docker.io/library/busybox:1-x"],
    ["q.io/a@sha256:0", "/d", false, "", "/d/a@sha256:0"],
    ["/x/y:1", "h/p", false, "", "h/p/y:1"],
    ["/x/y:1", "h/p", true, "", "h/p/x/y:1"],
    [".", "h/p", true, "", "h/p"],
  ])("of %s at %s, scoped %p, with %j: %s", (path, destination, scoped, suffix, expected) => {
    expect(targetName(image(path), { destination, scoped, suffix })).toBe(expected);
  });

  test("takes the name that was given for one image, scoped or not", () => {
    expect(ownName(image("a/b:1", "other/c:2"), { scoped: true })).toBe("other/c:2");
  });
});
