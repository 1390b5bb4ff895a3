import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { digestOf } from "../../../../core/content/digest.ts";
import { randomBytes } from "../../../support/random.ts";
import { rejection } from "../../../support/rejection.ts";
import { type TarEntry, sealed, tarHeader, tarOf, tarPadding } from "../../../support/tar-bytes.ts";
import { treeOf } from "../../../support/trees.ts";
import { unpack } from "../../../support/unpack.ts";
import { Workspace } from "../../../support/workspace.ts";

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;

/** Entries that anybody may unpack. */
const own = (...entries: readonly TarEntry[]) =>
  tarOf(entries.map((entry) => ({ uid, gid, ...entry })));

const layer = own(
  { path: "etc/", kind: "directory", mode: 0o755 },
  { path: "etc/passwd", body: Buffer.from("root") },
  { path: `srv/${"long-name/".repeat(20)}file`, body: randomBytes("x", 100_000) },
  { path: Uint8Array.from([0x66, 0xff]), body: randomBytes("y", 513) },
  { path: "etc/link", kind: "symlink", target: "passwd" },
  { path: "etc/hard", kind: "hardLink", target: "etc/passwd" },
  { path: "fifo", kind: "fifo" },
);

describe("writeLayer", () => {
  test.each([1, 511, 512, 65_536])("can be taken back, %d bytes at a time", async (chunkBytes) => {
    using workspace = new Workspace();
    const { written, rebuild } = await unpack(workspace, layer, { chunkBytes });
    expect(written).toEqual({
      diffId: digestOf(layer),
      uncompressedBytes: layer.length,
      uids: [uid],
      gids: [gid],
    });
    expect(Buffer.compare(await rebuild(), layer)).toBe(0);
  });

  const file = { path: "a", uid, gid, body: Buffer.from("content") };
  const header = tarHeader(file);
  const zeros = (blocks: number) => new Uint8Array(512 * blocks);
  const linkWithSize = tarHeader({ path: "l", uid, gid, kind: "symlink", target: "a" }, 7);

  test.each([
    ["nothing", []],
    ["no end", [header, file.body, tarPadding(7)]],
    ["no padding", [header, file.body]],
    ["one block at the end", [header, file.body, tarPadding(7), zeros(1)]],
    ["many blocks at the end", [header, file.body, tarPadding(7), zeros(40)]],
    ["junk behind the end", [header, file.body, tarPadding(7), zeros(2), Buffer.from("junk")]],
    ["padding that is none", [header, file.body, new Uint8Array(505).fill(7), zeros(2)]],
    ["a link that has a size", [linkWithSize, zeros(2)]],
    [
      "records for all entries",
      [globalHeader("path=x\n", "uid=99\n"), header, file.body, tarPadding(7), zeros(2)],
    ],
  ])("gives back an archive with %s, byte for byte", async (_, parts) => {
    using workspace = new Workspace();
    const tar = Buffer.concat(parts);
    const { written, rebuild } = await unpack(workspace, tar);
    expect(written.diffId).toBe(digestOf(tar));
    expect(Buffer.compare(await rebuild(), tar)).toBe(0);
  });

  test("keeps the content of a whiteout where no file does", async () => {
    using workspace = new Workspace();
    const tar = own({ path: ".wh.a", body: randomBytes("whiteout", 3_000_000) }, { path: "b" });
    const { written, rebuild } = await unpack(workspace, tar);
    expect(written.uids).toEqual([uid]);
    expect(Buffer.compare(await rebuild(), tar)).toBe(0);
  });

  test.each<readonly [string, Uint8Array, object]>([
    ["two files of one path", own({ path: "a" }, { path: "./a" }), { code: "unsupported" }],
    ["an entry outside", own({ path: "a/../../b" }), { code: "corrupt" }],
    ["a contiguous file", ofType("7"), { message: 'unhandled tar header type 55: "a"' }],
    ["a sparse file", ofType("S"), { message: 'unhandled tar header type 83: "a"' }],
    [
      "a file with holes in its records",
      own({ path: "a", pax: { "GNU.sparse.major": "1" } }),
      { code: "unsupported" },
    ],
    ["a hard link to what is not there", own({ path: "a", kind: "hardLink", target: "b" }), {}],
    ["a hard link outside", own({ path: "a", kind: "hardLink", target: "../b" }), {}],
    ["an impossible owner", own({ path: "a", uid: -1 }), {}],
    ["a cut-off file", own({ path: "a", body: new Uint8Array(2000) }).subarray(0, 1000), {}],
    ["a whiteout of nothing", own({ path: "a/.wh." }), { code: "corrupt" }],
    ["a whiteout of a directory itself", own({ path: "a/.wh.." }), { code: "corrupt" }],
    ["a whiteout of the one above", own({ path: "a/.wh..." }), { code: "corrupt" }],
    [
      "an entry below a link that leads nowhere",
      own({ path: "l", kind: "symlink", target: "x" }, { path: "l/a" }),
      { code: "io" },
    ],
    ["an entry below a file", own({ path: "f" }, { path: "f/a" }), { code: "io" }],
  ])("refuses %s", async (_, tar, expected) => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("deep/er/layer"), { recursive: true });
    const before = treeOf(workspace.path);
    const directory = workspace.at("deep/er/layer");
    expect(await rejection(unpack(workspace, tar, { directory }))).toMatchObject(expected);
    const outside = Object.entries(treeOf(workspace.path)).filter(
      ([name]) => !name.startsWith("deep/er/layer/") && name !== "layer.tar-split.gz",
    );
    expect(Object.fromEntries(outside)).toEqual(before);
  });

  test("stops when it is told to", async () => {
    using workspace = new Workspace();
    const { files } = await unpack(workspace, own({ path: "a" }));
    expect(Object.keys(treeOf(files))).toEqual(["a"]);
    using other = new Workspace();
    const stopped = new AbortController();
    async function* endless() {
      yield tarHeader({ path: "a", uid, gid }, 2 ** 40);
      for (let count = 0; ; count += 1) {
        if (count === 3) stopped.abort();
        yield new Uint8Array(1000);
      }
    }
    const { writeLayer } =
      await import("../../../../transports/containers-storage/extract/layer-writer.ts");
    const writing = writeLayer(
      endless(),
      {
        directory: other.path,
        tarSplitPath: workspace.at("other"),
        whiteouts: "overlay",
        rootless: false,
      },
      stopped.signal,
    );
    expect(await rejection(writing)).toMatchObject({ code: "canceled" });
  });

  test("says what it could not write", async () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "");
    const failure = await rejection(
      unpack(workspace, own({ path: "a" }), { directory: workspace.at("file") }),
    );
    expect(failure).toMatchObject({ code: "io" });
    expect(readFileSync(workspace.at("file"), "utf8")).toBe("");
  });
});

/** An empty file whose header has another type. */
function ofType(type: string): Uint8Array {
  const header = Buffer.from(tarHeader({ path: "a", uid, gid }));
  header.write(type, 156, "latin1");
  return Buffer.concat([sealed(header), new Uint8Array(1024)]);
}

/** Records for everything that follows. */
function globalHeader(...records: readonly string[]): Uint8Array {
  const text = records.map((record) => `${record.length + 3} ${record}`).join("");
  const header = Buffer.from(tarHeader({ path: "g" }, text.length));
  header.write("g", 156, "latin1");
  return Buffer.concat([sealed(header), Buffer.from(text), tarPadding(text.length)]);
}
