import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readXattrs } from "../../../../transports/shared/libc/xattrs.ts";
import { rejection } from "../../../support/rejection.ts";
import { testWith } from "../../../support/needs.ts";
import { type TarEntry, tarOf } from "../../../support/tar-bytes.ts";
import { treeOf } from "../../../support/trees.ts";
import { unpack } from "../../../support/unpack.ts";
import { Workspace } from "../../../support/workspace.ts";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Entries that anybody may unpack. */
const own = (...entries: readonly TarEntry[]) =>
  tarOf(entries.map((entry) => ({ uid, gid, ...entry })));

const xattrsOf = (path: string) =>
  Object.fromEntries(
    [...readXattrs(Buffer.from(`${path}\0`))].map(([name, value]) => [
      name,
      Buffer.from(value).toString("latin1"),
    ]),
  );

describe("Unpacker", () => {
  test("gives files what their headers say, directories last", async () => {
    using workspace = new Workspace();
    const pax = { mtime: "1700000000.123456789", "SCHILY.xattr.user.a": Buffer.from([0xff, 0]) };
    const { files } = await unpack(
      workspace,
      own(
        { path: "d/", kind: "directory", mode: 0o2711, pax },
        { path: "d/file", mode: 0o4755, body: Buffer.from("x"), pax },
        { path: "d/link", kind: "symlink", target: "/etc/passwd", mtime: 5 },
        { path: "implicit/parent/file", mode: 0o600 },
      ),
    );
    for (const [name, mode] of [
      ["d", 0o42711n],
      ["d/file", 0o104755n],
    ] as const) {
      const found = lstatSync(`${files}/${name}`, { bigint: true });
      expect([found.mode, found.mtimeNs]).toEqual([mode, 1_700_000_000_123_456_789n]);
      expect(xattrsOf(`${files}/${name}`)).toEqual({ "user.a": "\xff\0" });
    }
    expect(lstatSync(`${files}/d/link`, { bigint: true }).mtimeNs).toBe(5_000_000_000n);
    expect(lstatSync(`${files}/implicit`).mode & 0o7777).toBe(0o755);
  });

  test("follows links among the files, but never out", async () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("outside"));
    const { files, rebuild } = await unpack(
      workspace,
      own(
        { path: "real/", kind: "directory", mode: 0o755 },
        { path: "absolute", kind: "symlink", target: "/real" },
        { path: "up", kind: "symlink", target: "../../../../../../real" },
        { path: "sneaky", kind: "symlink", target: "../outside" },
        { path: "absolute/a", body: Buffer.from("a") },
        { path: "up/b", body: Buffer.from("b") },
        { path: "c", kind: "hardLink", target: "up/a" },
      ),
    );
    expect(readFileSync(`${files}/real/a`, "utf8")).toBe("a");
    expect(readFileSync(`${files}/real/b`, "utf8")).toBe("b");
    expect(lstatSync(`${files}/c`).ino).toBe(lstatSync(`${files}/real/a`).ino);
    expect(await rebuild()).toBeDefined();
    using other = new Workspace();
    mkdirSync(other.at("outside"));
    const leading = own(
      { path: "sneaky", kind: "symlink", target: "../outside" },
      { path: "sneaky/file" },
    );
    await rejection(unpack(other, leading));
    expect(readdirSync(other.at("outside"))).toEqual([]);
  });

  test("replaces what stands in the way, and keeps a directory", async () => {
    using workspace = new Workspace();
    const directory = workspace.at("tree");
    for (const name of ["file", "link", "kept", "replaced/deep"]) {
      mkdirSync(`${directory}/${name}`, { recursive: true });
      writeFileSync(`${directory}/${name}/old`, "");
    }
    writeFileSync(`${directory}/directory`, "");
    symlinkSync("kept", `${directory}/linked`);
    await unpack(
      workspace,
      own(
        { path: "file" },
        { path: "link", kind: "symlink", target: "nowhere" },
        { path: "kept", kind: "directory", mode: 0o700 },
        { path: "kept/new" },
        { path: "replaced", kind: "fifo" },
        { path: "directory", kind: "directory", mode: 0o711 },
        { path: "linked", kind: "directory", mode: 0o711 },
      ),
      { directory, whiteouts: "vfs" },
    );
    const empty = "0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(treeOf(directory)).toEqual({
      directory: "directory",
      file: empty,
      kept: "directory",
      "kept/new": empty,
      "kept/old": empty,
      link: "-> nowhere",
      linked: "directory",
      replaced: "something else",
    });
  });

  test("applies whiteouts by vfs, and spares what the layer brings", async () => {
    using workspace = new Workspace();
    const directory = workspace.at("tree");
    for (const name of ["a", "b/c", "opaque/old", "opaque/kept"]) {
      mkdirSync(`${directory}/${name}`, { recursive: true });
      writeFileSync(`${directory}/${name}/old`, "");
    }
    await unpack(
      workspace,
      own(
        { path: ".wh.a" },
        { path: "b/.wh.c" },
        { path: "b/.wh.nothing" },
        { path: "now/made/.wh.x" },
        { path: ".wh..wh.plnk" },
        { path: "opaque/new" },
        { path: "opaque/kept/", kind: "directory", mode: 0o755 },
        { path: "opaque/.wh..wh..opq" },
      ),
      { directory, whiteouts: "vfs" },
    );
    expect(Object.keys(treeOf(directory))).toEqual([
      "b",
      "now",
      "now/made",
      "opaque",
      "opaque/kept",
      "opaque/new",
    ]);
  });

  test.each([
    ["a file", { path: "a/b", body: Buffer.from("x") }, ".wh.a"],
    ["a directory", { path: "a/b/c" }, "a/.wh.b"],
  ])("refuses a whiteout by vfs of what the layer brings: %s", async (_, brought, whiteout) => {
    using workspace = new Workspace();
    const unpacking = unpack(workspace, own(brought, { path: whiteout }), { whiteouts: "vfs" });
    expect(await rejection(unpacking)).toMatchObject({ code: "unsupported" });
  });

  test("refuses a file that another one of the layer would be lost for", async () => {
    using workspace = new Workspace();
    const layer = own(
      { path: "d/a", body: Buffer.from("x") },
      { path: "l", kind: "symlink", target: "d" },
      { path: "l/a" },
    );
    expect(await rejection(unpack(workspace, layer))).toMatchObject({
      code: "unsupported",
      message: 'Layer has two files in one place: "l/a"',
    });
  });

  test("keeps whiteouts as they are for fuse-overlayfs", async () => {
    using workspace = new Workspace();
    const { files } = await unpack(
      workspace,
      own({ path: "d/.wh.a" }, { path: "d/.wh..wh..opq", mode: 0o600 }),
      { whiteouts: "overlay-fuse" },
    );
    expect(Object.keys(treeOf(files))).toEqual(["d", "d/.wh..wh..opq", "d/.wh.a"]);
    expect(xattrsOf(`${files}/d`)).toEqual({});
  });

  test("makes whiteouts of overlayfs", async () => {
    using workspace = new Workspace();
    const { files } = await unpack(
      workspace,
      own({ path: "d/.wh.a" }, { path: "d/.wh..wh..opq" }, { path: "f" }, { path: "f/.wh.x" }),
      { rootless: true },
    );
    const whiteout = lstatSync(`${files}/d/a`);
    expect([whiteout.isCharacterDevice(), whiteout.rdev]).toEqual([true, 0]);
    expect(xattrsOf(`${files}/d`)).toEqual({ "user.overlay.opaque": "y" });
  });

  test("keeps owners and modes in an attribute where all files have one mode", async () => {
    using workspace = new Workspace();
    const { files } = await unpack(
      workspace,
      tarOf([
        { path: "./", kind: "directory", mode: 0o711, uid: 5 },
        { path: "d/", kind: "directory", mode: 0o755, uid: 7, gid: 8 },
        { path: "d/f", mode: 0o4755, uid: 12, gid: 34 },
        { path: "d/l", kind: "symlink", target: "f", uid: 5 },
        { path: "d/null", kind: "characterDevice", device: [1, 3], mode: 0o666 },
      ]),
      { whiteouts: "overlay-fuse", forceMask: 0o700 },
    );
    const override = (name: string) => {
      const { mode, uid: owner } = lstatSync(`${files}/${name}`);
      const stat = xattrsOf(`${files}/${name}`)["user.containers.override_stat"];
      return [mode & 0o7777, owner, stat];
    };
    expect(override(".").at(2)).toBe("5:0:0711:dir");
    expect(override("d")).toEqual([0o700, uid, "7:8:0755:dir"]);
    expect(override("d/f")).toEqual([0o700, uid, "12:34:4755:file"]);
    expect(override("d/null")).toEqual([0o700, uid, "0:0:0666:char-1-3"]);
    expect(xattrsOf(`${files}/d/l`)).toEqual({});
  });

  testWith("root")("gives files away, without their losing privileges", async () => {
    using workspace = new Workspace();
    const capability = Buffer.from([1, 0, 0, 2, 0, 4, ...new Uint8Array(14)]);
    const { files } = await unpack(
      workspace,
      tarOf([
        { path: "d/", kind: "directory", mode: 0o2755, gid: 5 },
        { path: "d/implicit/f", uid: 4_000_000, gid: 0, mode: 0o6755 },
        {
          path: "d/ping",
          uid: 12,
          pax: { "SCHILY.xattr.security.capability": capability },
        },
        { path: "d/hard", uid: 13, kind: "hardLink", target: "d/ping", mode: 0o711 },
        { path: "d/null", kind: "characterDevice", device: [1, 3], mode: 0o666, gid: 6 },
      ]),
    );
    const told = (name: string) => {
      const { uid: user, gid: group, mode, rdev } = lstatSync(`${files}/${name}`);
      return [user, group, mode.toString(8), rdev];
    };
    expect(told("d/implicit")).toEqual([0, 0, "42755", 0]);
    expect(told("d/implicit/f")).toEqual([4_000_000, 0, "106755", 0]);
    expect(told("d/ping")).toEqual([13, 0, "100711", 0]);
    expect(told("d/null")).toEqual([0, 6, "20666", 0x103]);
  });
});
