import { expect, test } from "bun:test";
import { openSync, closeSync, symlinkSync, writeFileSync } from "node:fs";
import { readXattrs, setXattr } from "../../../../transports/shared/libc/xattrs.ts";
import { Workspace } from "../../../support/workspace.ts";

const bytes = (text: string) => Buffer.from(`${text}\0`);

test("xattrs are written and read as bytes", () => {
  using workspace = new Workspace();
  const path = workspace.at("file");
  writeFileSync(path, "");
  const file = openSync(path, "r+");
  expect(setXattr(file, bytes("user.binary"), new Uint8Array([0xff, 0, 1]))).toBe(0);
  closeSync(file);
  expect(setXattr(bytes(path), bytes("user.empty"), new Uint8Array())).toBe(0);
  expect(setXattr(bytes(path), bytes("nonsense"), new Uint8Array())).toBe(-95);
  expect([...readXattrs(bytes(path))].toSorted()).toEqual([
    ["user.binary", new Uint8Array([0xff, 0, 1])],
    ["user.empty", new Uint8Array()],
  ]);
});

test("readXattrs follows no link, and says what is missing", () => {
  using workspace = new Workspace();
  symlinkSync("nowhere", workspace.at("link"));
  expect(readXattrs(bytes(workspace.at("link"))).size).toBe(0);
  expect(() => readXattrs(bytes(workspace.at("nothing")))).toThrow(
    expect.objectContaining({ code: "ENOENT", path: workspace.at("nothing") }),
  );
});
