import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { flock } from "../../../../transports/shared/libc/flock.ts";
import { Workspace } from "../../../support/workspace.ts";

test("flock excludes, shares and releases", () => {
  using workspace = new Workspace();
  const [a, b] = [openSync(workspace.path, "r"), openSync(workspace.path, "r")];
  try {
    expect(flock(a, "exclusive")).toBe("done");
    expect(flock(b, "exclusive")).toBe("held");
    expect(flock(b, "shared")).toBe("held");
    expect(flock(a, "release")).toBe("done");
    expect(flock(b, "shared")).toBe("done");
    expect(flock(a, "shared")).toBe("done");
    expect(flock(a, "exclusive")).toBe("held");
  } finally {
    closeSync(a);
    closeSync(b);
  }
});

test("flock knows a descriptor that is none", () => {
  expect(flock(-1, "exclusive")).toBe("unavailable");
});
