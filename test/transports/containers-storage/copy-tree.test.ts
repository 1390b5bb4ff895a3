import { expect } from "bun:test";
import { chownSync, linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { copyTree } from "../../../transports/containers-storage/copy-tree.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const signal = new AbortController().signal;

testWith("root", "cp")("copyTree keeps owners, links, modes and times", async () => {
  using workspace = new Workspace();
  mkdirSync(workspace.at("from/d"), { recursive: true, mode: 0o711 });
  writeFileSync(workspace.at("from/d/file"), "content", { mode: 0o640 });
  chownSync(workspace.at("from/d/file"), 12, 34);
  linkSync(workspace.at("from/d/file"), workspace.at("from/other"));
  symlinkSync("/nowhere", workspace.at("from/-link"));
  mkdirSync(workspace.at("to"));
  await copyTree(workspace.at("from"), workspace.at("to"), signal);
  const [one, two] = ["d/file", "other"].map((name) => statSync(workspace.at("to", name)));
  expect(one?.ino).toBe(two?.ino as number);
  expect(one).toMatchObject({ uid: 12, gid: 34 });
  expect(one?.mtimeMs).toBe(statSync(workspace.at("from/other")).mtimeMs);
});

testWith("cp")("copyTree tells what went wrong", async () => {
  using workspace = new Workspace();
  const failure = await rejection(copyTree(workspace.at("none"), workspace.at("to"), signal));
  expect(failure).toMatchObject({ code: "io", message: expect.stringContaining("Cannot copy") });
});
