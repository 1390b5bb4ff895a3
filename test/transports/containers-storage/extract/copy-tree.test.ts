import { expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  symlinkSync,
  lutimesSync,
  writeFileSync,
} from "node:fs";
import { copyTree } from "../../../../transports/containers-storage/extract/copy-tree.ts";
import { treeCalls } from "../../../../transports/shared/libc/tree-calls.ts";
import { setXattr } from "../../../../transports/shared/libc/xattrs.ts";
import { fileTreeOf } from "../../../support/file-tree.ts";
import { rejection } from "../../../support/rejection.ts";
import { Workspace } from "../../../support/workspace.ts";

test("copyTree copies all that can be known of files", async () => {
  using workspace = new Workspace();
  const from = workspace.at("from");
  mkdirSync(`${from}/a/b`, { recursive: true });
  writeFileSync(`${from}/a/b/file`, "content");
  chmodSync(`${from}/a/b/file`, 0o4711);
  setXattr(Buffer.from(`${from}/a/b/file\0`), Buffer.from("user.x\0"), Buffer.from([0, 255]));
  linkSync(`${from}/a/b/file`, `${from}/second`);
  symlinkSync("/nowhere", `${from}/link`);
  writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xff])]), "odd");
  const directory = openSync(from, "r");
  treeCalls().makeNode(directory, Buffer.from("fifo\0"), { mode: 0o010600, device: 0n });
  closeSync(directory);
  const setTimes = () => {
    for (const each of ["a/b/file", "a/b", "a", "fifo", "link", "\xff", ""]) {
      lutimesSync(Buffer.from(`${from}/${each}`, "latin1"), 5, 7.25);
    }
  };
  setTimes();
  mkdirSync(workspace.at("to"));
  const never = 2n ** 64n;
  const before = fileTreeOf(from, never);
  // To look at files was to change when they were looked at.
  setTimes();
  await copyTree({ from, to: workspace.at("to"), rootless: false });
  expect(fileTreeOf(workspace.at("to"), never)).toEqual(before);
  expect(Object.keys(before)).toHaveLength(8);
});

test("copyTree says what it could not make, and stops when it is told to", async () => {
  using workspace = new Workspace();
  for (const each of ["from/a", "to/a"]) mkdirSync(workspace.at(each), { recursive: true });
  const copy = { from: workspace.at("from"), to: workspace.at("to"), rootless: false };
  expect(await rejection(copyTree(copy))).toMatchObject({
    code: "io",
    message: `mkdir ${workspace.at("to")}/a: file exists`,
  });
  const stopped = await rejection(copyTree(copy, AbortSignal.abort()));
  expect(stopped).toMatchObject({ code: "canceled" });
});
