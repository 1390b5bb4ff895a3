import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { syncFileSystem } from "../../../../transports/shared/libc/sync-file-system.ts";
import { Workspace } from "../../../support/workspace.ts";

test("syncFileSystem takes what is open, and nothing else", () => {
  using workspace = new Workspace();
  const directory = openSync(workspace.path, "r");
  syncFileSystem(directory);
  closeSync(directory);
  expect(() => syncFileSystem(-1)).toThrow(expect.objectContaining({ code: "EBADF" }));
});
