// libc: flock as the operating system has it.

import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { flock, openInRoot, recordLock, syncFileSystem } from "../../../transports/shared/libc.ts";
import { Workspace } from "../../support/workspace.ts";

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

test("syncFileSystem takes what is open, and nothing else", () => {
  using workspace = new Workspace();
  const directory = openSync(workspace.path, "r");
  syncFileSystem(directory);
  closeSync(directory);
  expect(() => syncFileSystem(-1)).toThrow(expect.objectContaining({ code: "EBADF" }));
});

test("openInRoot follows links as if the directory were the root", () => {
  using workspace = new Workspace();
  mkdirSync(workspace.at("root/etc"), { recursive: true });
  writeFileSync(workspace.at("root/etc/passwd"), "inside");
  symlinkSync("/etc", workspace.at("root/absolute"));
  symlinkSync("../../../../../../../../../../etc", workspace.at("root/up"));
  const root = openSync(workspace.at("root"), "r");
  for (const path of ["etc/passwd", "absolute/passwd", "up/passwd", "/etc/passwd"]) {
    const file = openInRoot(root, Buffer.from(path));
    expect(readFileSync(file, "utf8")).toBe("inside");
    closeSync(file);
  }
  const missing = () => openInRoot(root, Buffer.from("etc/shadow"));
  expect(missing).toThrow(expect.objectContaining({ code: "ENOENT" }));
  closeSync(root);
});
