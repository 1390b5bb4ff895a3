import { expect, test } from "bun:test";
import { closeSync, lstatSync, openSync } from "node:fs";
import { olderMakeNode, olderReadStatus } from "../../../../transports/shared/libc/older-calls.ts";
import { fileKinds, statusBytes, statusOf } from "../../../../transports/shared/libc/tree-calls.ts";
import { Workspace } from "../../../support/workspace.ts";

const name = (text: string) => Buffer.from(`${text}\0`);

test("older calls do the same as those of today", () => {
  using workspace = new Workspace();
  const [makeNode, readStatus] = [olderMakeNode(), olderReadStatus()];
  const directory = openSync(workspace.path, "r");
  // musl has never had the first of them.
  if (makeNode !== undefined) {
    expect(makeNode(directory, name("fifo"), fileKinds.fifo | 0o600, 0n)).toBe(0);
    expect(lstatSync(workspace.at("fifo")).isFIFO()).toBe(true);
    // A whiteout, which anybody may make.
    expect(makeNode(directory, name("gone"), fileKinds.characterDevice, 0n)).toBe(0);
    expect(lstatSync(workspace.at("gone"))).toMatchObject({ rdev: 0 });
    expect(makeNode(-1, name("fifo"), fileKinds.fifo, 0n)).toBe(-1);
  }
  const status = new Uint8Array(statusBytes);
  expect(readStatus?.(directory, name(""), 0x1100, 0x7ff, status)).toBe(0);
  expect(statusOf(status).inode).toBe(lstatSync(workspace.path, { bigint: true }).ino);
  expect(readStatus?.(directory, name("nothing"), 0x100, 0x7ff, status)).toBe(-1);
  closeSync(directory);
});
