import { describe, expect, test } from "bun:test";
import { streamOf } from "../../../core/blob/stream.ts";
import { StreamInput } from "../../../core/blob/tar-input.ts";
import { tarEntries } from "../../../core/blob/tar-reader.ts";
import { LayerTree, metaOf, textIn } from "../../../transports/ostree/layer-tree.ts";
import {
  type Checksum,
  checksumOf,
  type DirTree,
  encodeMeta,
  encodeTree,
  type FileMeta,
} from "../../../transports/ostree/objects.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";
import { type TarEntry, tarOf } from "../../support/tar-bytes.ts";

/** Writes into memory, and can show it again. */
class Kept {
  readonly #trees = new Map<string, DirTree>();
  readonly #metas = new Map<string, FileMeta>();

  writeTree(tree: DirTree): Checksum {
    const name = checksumOf(encodeTree(tree));
    this.#trees.set(name, tree);
    return name;
  }

  writeMeta(meta: FileMeta): Checksum {
    const name = checksumOf(encodeMeta(meta));
    this.#metas.set(name, meta);
    return name;
  }

  show(tree: Checksum, meta: Checksum, path = "/"): string[] {
    const found = this.#trees.get(tree);
    const mode = this.#metas.get(meta)?.mode.toString(8);
    return [
      `${path} ${mode}`,
      ...(found?.files ?? []).map(([name, file]) => `${path}${name} ${contents.get(file)}`),
      ...(found?.directories ?? []).flatMap(([name, ...rest]) =>
        this.show(...rest, `${path}${name}/`),
      ),
    ].toSorted();
  }
}

const contents = new Map<string, string>();

/** Puts entries into a tree, each file as one that is named for its path. */
async function treeWith(...entries: readonly TarEntry[]): Promise<string[]> {
  const tree = new LayerTree();
  const input = new StreamInput(streamOf(tarOf(entries)));
  for await (const entry of tarEntries(input)) {
    if (entry.kind === "directory") tree.addDirectory(entry);
    else if (entry.kind === "hard-link") tree.addHardLink(entry);
    else if (entry.kind === "fifo") tree.addParents(entry);
    else {
      const checksum = checksumOf(Buffer.from(entry.name));
      contents.set(checksum, entry.link === "" ? entry.name : `-> ${entry.link}`);
      const link = entry.kind === "symbolic-link" ? { target: entry.link } : {};
      tree.addFile(entry, { checksum, size: entry.size, ...link });
    }
  }
  const kept = new Kept();
  const { tree: top, meta } = tree.write(kept);
  return kept.show(top, meta);
}

const body = Buffer.from("x");
const link = (path: string, target: string) => ({ path, kind: "symlink", target }) as const;
const hard = (path: string, target: string) => ({ path, kind: "hardLink", target }) as const;

describe("LayerTree", () => {
  test("holds what entries bring, and what is above them", async () => {
    expect(
      await treeWith(
        { path: "./", kind: "directory", mode: 0o711 },
        { path: "d/e/f", body },
        { path: "d/", kind: "directory", mode: 0o2750 },
        hard("h", "d/e/f"),
        { path: "p/fifo", kind: "fifo" },
      ),
    ).toEqual(["/ 40711", "/d/ 42750", "/d/e/ 40755", "/d/e/f d/e/f", "/h d/e/f", "/p/ 40755"]);
  });

  test("follows links, and never out", async () => {
    expect(
      await treeWith(
        { path: "d/", kind: "directory", mode: 0o755 },
        link("l", "/d"),
        link("m", "../../../d"),
        { path: "l/a", body },
        { path: "m/new/b", body },
        hard("c", "m/a"),
      ),
    ).toEqual([
      "/ 40755",
      "/c l/a",
      "/d/ 40755",
      "/d/a l/a",
      "/d/new/ 40755",
      "/d/new/b m/new/b",
      "/l -> /d",
      "/m -> ../../../d",
    ]);
  });

  test.each<readonly [string, readonly TarEntry[], string]>([
    ["a file as the root", [{ path: "./", body }], "corrupt"],
    ["an entry outside", [{ path: "../a" }], "corrupt"],
    ["an entry below a link to nowhere", [link("l", "x/y"), { path: "l/a" }], "corrupt"],
    ["an entry below a loop", [link("l", "l"), { path: "l/a" }], "corrupt"],
    ["an entry below a file", [{ path: "f" }, { path: "f/a" }], "corrupt"],
    ["a hard link to nothing", [hard("h", "x")], "corrupt"],
    ["a hard link to a directory", [{ path: "d/x" }, hard("h", "d")], "corrupt"],
    [
      "two files in one place",
      [{ path: "d/a", body }, link("l", "d"), { path: "l/a" }],
      "unsupported",
    ],
    ["a name that is no text", [{ path: Buffer.from([0xff]) }], "unsupported"],
  ])("refuses %s", async (_, entries, code) => {
    expect(await rejection(treeWith(...entries))).toMatchObject({ code });
  });

  test("does not grow deeper than any path", async () => {
    const deep = "d/".repeat(1500);
    const entries = [{ path: `${deep}a` }, link("l", deep), { path: `l/${deep}a` }];
    expect(await rejection(treeWith(...entries))).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("nested too deeply"),
    });
  });
});

test("metaOf leaves the owner and the mode as they are, and links alone", async () => {
  const pax = { "SCHILY.xattr.user.a": "b" };
  const entries = [
    { path: "f", mode: 0o4755, uid: 7, gid: 8, pax },
    { ...link("l", "x"), mode: 0o600, uid: 7, pax },
  ];
  const found = [];
  for await (const entry of tarEntries(new StreamInput(streamOf(tarOf(entries))))) {
    found.push(metaOf(entry, entry.kind === "file" ? 0o100000 : 0o120000));
  }
  expect(found).toEqual([
    { uid: 7, gid: 8, mode: 0o104755, xattrs: [["user.a", new Uint8Array([0x62])]] },
    { uid: 7, gid: 0, mode: 0o120777, xattrs: [] },
  ]);
});

test("textIn is for text only", () => {
  expect(textIn(Buffer.from("ü"), "")).toBe("ü");
  expect(failureOf(() => textIn(Buffer.from([0xff]), "shown"))).toMatchObject({
    code: "unsupported",
    message: 'Cannot keep the name "shown" in ostree: not UTF-8',
  });
});
