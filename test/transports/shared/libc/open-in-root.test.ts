import { expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { openInRoot } from "../../../../transports/shared/libc/open-in-root.ts";
import { Workspace } from "../../../support/workspace.ts";

test("openInRoot follows links as if the directory were the root", () => {
  using workspace = new Workspace();
  mkdirSync(workspace.at("root/etc"), { recursive: true });
  writeFileSync(workspace.at("root/etc/passwd"), "inside");
  symlinkSync("/etc", workspace.at("root/absolute"));
  symlinkSync("../../../../../../../../../../etc", workspace.at("root/up"));
  const root = openSync(workspace.at("root"), "r");
  const open = (path: string) => openInRoot(root, Buffer.from(`${path}\0`), constants.O_RDONLY);
  for (const path of ["etc/passwd", "absolute/passwd", "up/passwd", "/etc/passwd"]) {
    const file = open(path);
    expect(readFileSync(file, "utf8")).toBe("inside");
    closeSync(file);
  }
  expect(open("etc/shadow")).toBe(-2);
  closeSync(root);
});
