// Entries of archives, as GNU tar understands them.

import { describe, expect, test } from "bun:test";
import { tarEnd, tarHead, type TarItem, tarPadding } from "../../../transports/sif/tar-item.ts";

const common = { mode: 0o644, uid: 0, gid: 0, modified: 1_700_000_000 };

describe("tarHead", () => {
  test.each<[what: string, item: Partial<TarItem>, line: string]>([
    ["a file", {}, "-rw-r--r-- 0/0 0 2023-11-14 22:13 x"],
    ["a program", { mode: 0o6755 }, "-rwsr-sr-x 0/0 0 2023-11-14 22:13 x"],
    [
      "a directory",
      { kind: "directory", path: bytes("d/") },
      "drw-r--r-- 0/0 0 2023-11-14 22:13 d/",
    ],
    [
      "a link",
      { kind: "symlink", target: bytes("to") },
      "lrw-r--r-- 0/0 0 2023-11-14 22:13 x -> to",
    ],
    [
      "a second name",
      { kind: "hardLink", target: bytes("to") },
      "hrw-r--r-- 0/0 0 2023-11-14 22:13 x link to to",
    ],
    [
      "a device",
      { kind: "characterDevice", device: { major: 4, minor: 300 } },
      "crw-r--r-- 0/0 4,300 2023-11-14 22:13 x",
    ],
    ["a pipe", { kind: "fifo" }, "prw-r--r-- 0/0 0 2023-11-14 22:13 x"],
    [
      "owners beyond the header",
      { uid: 3_000_000, gid: 4_294_967_294 },
      "-rw-r--r-- 3000000/4294967294 0 2023-11-14 22:13 x",
    ],
    [
      "a long name",
      { path: bytes(`${"n/".repeat(200)}x`) },
      `-rw-r--r-- 0/0 0 2023-11-14 22:13 ${"n/".repeat(200)}x`,
    ],
    [
      "a long link",
      { kind: "symlink", target: bytes("t".repeat(101)) },
      `lrw-r--r-- 0/0 0 2023-11-14 22:13 x -> ${"t".repeat(101)}`,
    ],
    [
      "a name that is no text",
      { path: Uint8Array.from([0x61, 0xff]) },
      "-rw-r--r-- 0/0 0 2023-11-14 22:13 a\\377",
    ],
  ])("writes %s", (_, item, line) => {
    expect(listed({ path: bytes("x"), kind: "file", ...common, ...item })).toBe(line);
  });

  test("writes a size beyond the header", () => {
    const head = tarHead({ path: bytes("x"), kind: "file", ...common, size: 2 ** 33 });
    expect(Buffer.from(head).toString("latin1")).toContain("19 size=8589934592\n");
  });

  test("writes attributes byte for byte", () => {
    const value = Uint8Array.from([1, 0, 0xff, 0xfe]);
    const attributes = [{ name: "security.capability", value }];
    const head = Buffer.from(tarHead({ path: bytes("x"), kind: "file", ...common, attributes }));
    const record = Buffer.concat([
      bytes("41 SCHILY.xattr.security.capability="),
      value,
      bytes("\n"),
    ]);
    expect(head.indexOf(record)).toBe(512);
  });
});

describe("tarPadding", () => {
  test.each([
    [0, 0],
    [1, 511],
    [512, 0],
    [513, 511],
  ])("fills %d bytes up with %d", (size, padding) => {
    expect(tarPadding(size).length).toBe(padding);
  });
});

function listed(item: TarItem): string {
  const { stdout, stderr } = Bun.spawnSync(["tar", "--numeric-owner", "-tv"], {
    stdin: Buffer.concat([tarHead(item), tarEnd]),
    env: { PATH: "/usr/bin:/bin", TZ: "UTC", LC_ALL: "C" },
  });
  return (stdout.toString() + stderr.toString()).trim().replace(/ +/g, " ");
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
