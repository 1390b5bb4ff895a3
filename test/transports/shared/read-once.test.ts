// Which files are over once they were read.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { isReadOnce } from "../../../transports/shared/read-once.ts";
import { Workspace } from "../../support/workspace.ts";

describe("isReadOnce", () => {
  test("is true of standard input, pipes and devices alone", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "content");
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    expect(isReadOnce("-")).toBe(true);
    expect(isReadOnce(workspace.at("pipe"))).toBe(true);
    expect(isReadOnce("/dev/null")).toBe(true);
    expect(isReadOnce(workspace.at("file"))).toBe(false);
    // What opens them has something to say about these.
    expect(isReadOnce(workspace.path)).toBe(false);
    expect(isReadOnce(workspace.at("nothing"))).toBe(false);
  });
});
