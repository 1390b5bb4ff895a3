import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { recordLock } from "../../../../transports/shared/libc/record-lock.ts";
import { Workspace } from "../../../support/workspace.ts";

test("recordLock excludes, shares and releases, and is let go with the descriptor", () => {
  using workspace = new Workspace();
  writeFileSync(workspace.at("lock"), "");
  const [a, b] = [openSync(workspace.at("lock"), "r+"), openSync(workspace.at("lock"), "r+")];
  try {
    expect(recordLock(a, "exclusive")).toBe("done");
    expect(recordLock(b, "exclusive")).toBe("held");
    expect(recordLock(b, "shared")).toBe("held");
    expect(recordLock(a, "release")).toBe("done");
    expect(recordLock(b, "shared")).toBe("done");
    expect(recordLock(a, "shared")).toBe("done");
    expect(recordLock(a, "exclusive")).toBe("held");
  } finally {
    closeSync(b);
  }
  expect(recordLock(a, "exclusive")).toBe("done");
  closeSync(a);
});
