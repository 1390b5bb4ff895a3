// The index: what a name leads to, and what it never leads to.

import { describe, expect, test } from "bun:test";
import { streamOf } from "../../../core/blob/stream.ts";
import { limits } from "../../../core/limits.ts";
import { ArchiveIndex, placeOf } from "../../../transports/shared/archive-index.ts";
import { readTar, type TarEntry } from "../../../core/blob/tar-reader.ts";
import { failureOf } from "../../support/failure-of.ts";
import { type TarEntry as NewEntry, tarHeaderWith, tarOf } from "../../support/tar-bytes.ts";

async function entriesOf(bytes: Uint8Array): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const { entry } of readTar(streamOf(bytes))) entries.push(entry);
  return entries;
}

async function indexOf(...entries: readonly NewEntry[]): Promise<ArchiveIndex> {
  const index = new ArchiveIndex();
  for (const entry of await entriesOf(tarOf(entries))) index.add(entry);
  return index;
}

const link = (path: string, target: string): NewEntry => ({ path, kind: "symlink", target });
const hardLink = (path: string, target: string): NewEntry => ({ path, kind: "hardLink", target });

describe("ArchiveIndex", () => {
  test.each([
    ["a", "a"],
    ["./a", "a"],
    ["a", "./a"],
    ["/a", "a"],
    ["d//./x/../a", "d/a"],
    ["d/a", "d/a"],
  ])("finds %s by %s", async (path, name) => {
    expect((await indexOf({ path })).find(name)?.name).toBe(path);
  });

  test.each([
    ["another name", "a", "b"],
    ["F1: a name that leads out", "../a", "a"],
    ["F1: a name that leads out, asked for so", "../a", "../a"],
    ["a name that is only shown alike", new Uint8Array([0xff]), "\ufffd"],
    ["the archive itself", "./a", "."],
  ])("finds nothing by %s", async (_, path, name) => {
    expect((await indexOf({ path })).find(name)).toBeUndefined();
  });

  test.each<[string, readonly NewEntry[]]>([
    ["a symbolic link beside it", [{ path: "d/a" }, link("d/x", "a")]],
    ["a symbolic link from elsewhere", [{ path: "d/a" }, link("e/x", "../d/a")]],
    ["a hard link", [{ path: "d/a" }, hardLink("x", "d/a")]],
    ["a link in front of its target", [link("x", "d/a"), { path: "d/a" }]],
    ["a link to a link", [link("x", "y"), hardLink("y", "d/a"), { path: "d/a" }]],
    ["a detour that stays inside", [link("x", "e/../d/a"), { path: "d/a" }]],
    [
      "ten links",
      [
        ...Array.from({ length: 9 }, (_, at) => link(`x${at || ""}`, `x${at + 1}`)),
        link("x9", "d/a"),
        { path: "d/a" },
      ],
    ],
  ])("F2: follows %s", async (_, entries) => {
    const index = await indexOf(...entries);
    const first = entries.find(({ path }) => String(path).includes("x"));
    expect(index.find(String(first?.path))?.name).toBe("d/a");
  });

  const away = "leads to what is not in the archive";
  test.each<[string, readonly NewEntry[], string]>([
    ["a link to nothing", [link("x", "y")], away],
    ["a link out of the archive", [link("x", "../x/../../etc/passwd")], away],
    ["a link out and in again", [link("x", "../a"), { path: "a" }], away],
    ["an absolute link", [link("x", "/a"), { path: "a" }], away],
    ["a hard link out", [hardLink("x", "../a"), { path: "a" }], away],
    ["a link to itself", [link("x", "x")], "is behind more than 10 links"],
    ["a loop", [link("x", "y"), link("y", "x")], "is behind more than 10 links"],
    [
      "eleven links",
      [
        link("x", "x0"),
        ...Array.from({ length: 10 }, (_, at) => link(`x${at}`, `x${at + 1}`)),
        { path: "x10" },
      ],
      "is behind more than 10 links",
    ],
    ["a directory", [{ path: "x/", kind: "directory" }], "not a regular file"],
    ["a device", [{ path: "x", kind: "characterDevice", device: [1, 5] }], "not a regular file"],
    ["a pipe", [{ path: "x", kind: "fifo" }], "not a regular file"],
    [
      "a link to a device",
      [link("x", "y"), { path: "y", kind: "blockDevice" }],
      "not a regular file",
    ],
    ["F3: two of the name", [{ path: "x" }, { path: "x" }], "is there more than once"],
    [
      "F3: two of the name, spelled differently",
      [{ path: "x" }, { path: "./x" }],
      "is there more than once",
    ],
    [
      "F3: a file and a link of the name",
      [{ path: "x" }, link("x", "y"), { path: "y" }],
      "is there more than once",
    ],
    [
      "F3: a link to what is there twice",
      [link("x", "y"), { path: "y" }, { path: "y" }],
      "is there more than once",
    ],
  ])("F2: refuses %s", async (_, entries, why) => {
    const index = await indexOf(...entries);
    expect(failureOf(() => index.find("x"))).toMatchObject({
      code: "corrupt",
      message: `Error reading tar archive component "x": ${why}`,
    });
  });

  test("refuses a file with holes", async () => {
    const header = tarHeaderWith({ path: "x" }, { 156: "S", 257: "ustar  \0" });
    const index = new ArchiveIndex();
    for (const entry of await entriesOf(header)) index.add(entry);
    expect(failureOf(() => index.find("x"))).toMatchObject({
      message: 'Error reading tar archive component "x": is stored with holes',
    });
  });

  test("F3: what nobody asks for may be there twice", async () => {
    const index = await indexOf({ path: "d" }, { path: "d" }, { path: "a" });
    expect(index.find("a")?.name).toBe("a");
    expect(index.entries).toHaveLength(3);
  });

  test("P1: keeps no more than it should", async () => {
    const [entry] = await entriesOf(tarOf([{ path: "a" }]));
    if (entry === undefined) throw new Error("there is no entry");
    const names = new ArchiveIndex();
    const long = { ...entry, nameBytes: new Uint8Array(limits.archiveNamesBytes) };
    expect(failureOf(() => [long, entry].forEach((each) => names.add(each)))).toMatchObject({
      message: `Names in tar archive exceed ${limits.archiveNamesBytes} bytes`,
    });
    const many = new ArchiveIndex();
    for (let count = 0; count < limits.archiveEntries; count++) many.add(entry);
    expect(failureOf(() => many.add(entry))).toMatchObject({
      message: `Tar archive has more than ${limits.archiveEntries} entries`,
    });
  });
});

test("placeOf leaves nothing out but detours", () => {
  const place = (...name: readonly number[]) => placeOf({ nameBytes: new Uint8Array(name) });
  expect(place(0x2e, 0x2f, 0x61, 0x2f)).toBe("a");
  expect(place(0xff)).toBe("\xff");
  expect(place(0x2e, 0x2e)).toBeUndefined();
});
