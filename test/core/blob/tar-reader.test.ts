// The reader: every odd entry that is an entry, and nothing that two readers read in two ways.

import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import { endOf, readTar, type TarEntry } from "../../../core/blob/tar-reader.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { tarHeader, tarHeaderWith, tarOf, tarPadding } from "../../support/tar-bytes.ts";

const text = { encode: (content: string): Uint8Array => new TextEncoder().encode(content) };
const body = text.encode("content");
const end = new Uint8Array(1024);
const block = (content: Uint8Array) => Buffer.concat([content, tarPadding(content.length)]);

/** Returns an extension of the next entry, such as a GNU long name. */
function extension(typeFlag: string, content: Uint8Array): Uint8Array {
  const header = tarHeaderWith({ path: "extension" }, { 156: typeFlag }, content.length);
  return Buffer.concat([header, block(content)]);
}

function record(key: string, value: string): string {
  // Of ASCII, and shorter than a hundred bytes or longer than that by far.
  const rest = ` ${key}=${value}\n`;
  const length = `${rest.length + String(rest.length + 2).length}`;
  return `${length}${rest}`;
}

const pax = (...records: readonly (readonly [string, string])[]) =>
  extension("x", text.encode(records.map(([key, value]) => record(key, value)).join("")));
const file = (path: string, content = body) =>
  Buffer.concat([tarHeader({ path }, content.length), block(content)]);

async function entriesOf(...parts: readonly Uint8Array[]): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const { entry } of readTar(chunked(Buffer.concat(parts), 1000))) entries.push(entry);
  return entries;
}

async function onlyEntry(...parts: readonly Uint8Array[]): Promise<TarEntry> {
  const [entry, ...others] = await entriesOf(...parts, end);
  if (entry === undefined || others.length > 0) throw new Error("there is not one entry");
  return entry;
}

describe("readTar", () => {
  test("reads every kind of entry, and where it is", async () => {
    const archive = tarOf([
      { path: "d/", kind: "directory", mode: 0o755 },
      { path: "d/f", body },
      { path: "h", kind: "hardLink", target: "d/f" },
      { path: "s", kind: "symlink", target: "d/f" },
      { path: "c", kind: "characterDevice", device: [1, 3] },
      { path: "b", kind: "blockDevice", device: [8, 0] },
      { path: "p", kind: "fifo" },
    ]);
    const entries = await entriesOf(archive);
    expect(
      entries.map(({ kind, name, link, start, offset, size }) => [
        kind,
        name,
        link,
        start,
        offset,
        size,
      ]),
    ).toEqual([
      ["directory", "d/", "", 0, 512, 0],
      ["file", "d/f", "", 512, 1024, 7],
      ["hard-link", "h", "d/f", 1536, 2048, 0],
      ["symbolic-link", "s", "d/f", 2048, 2560, 0],
      ["character-device", "c", "", 2560, 3072, 0],
      ["block-device", "b", "", 3072, 3584, 0],
      ["fifo", "p", "", 3584, 4096, 0],
    ]);
    expect(entries[1] && endOf(entries[1])).toBe(1536);
  });

  test("gives the content, whether somebody reads it or not", async () => {
    const big = randomBytes("big", 100_001);
    const archive = Buffer.concat([file("a", big), file("b"), file("c", big), file("d"), end]);
    const read: string[] = [];
    for await (const { entry, content } of readTar(chunked(archive, 4097))) {
      if (entry.name === "a") continue;
      const bytes = await collect(content, Infinity);
      expect(Buffer.compare(bytes, entry.name === "c" ? big : body)).toBe(0);
      read.push(entry.name);
    }
    expect(read).toEqual(["b", "c", "d"]);
  });

  test("lets go of the stream when nobody wants more", async () => {
    let released = false;
    const feed = async function* () {
      try {
        yield Buffer.concat([file("a"), file("b"), end]);
      } finally {
        released = true;
      }
    };
    for await (const _ of readTar(feed())) break;
    expect(released).toBe(true);
  });

  test("keeps names that are no text as they are", async () => {
    const path = new Uint8Array([0x61, 0xff, 0x2f, 0xc3]);
    for (const archive of [tarOf([{ path }]), tarOf([{ path: "other", pax: { path } }])]) {
      const [entry] = await entriesOf(archive);
      expect(entry?.nameBytes).toEqual(path);
      expect(entry?.name).toBe("a\ufffd/\ufffd");
    }
  });

  test("keeps records byte for byte", async () => {
    const value = new Uint8Array([1, 0, 0xff, 0x0a, 0x3d]);
    const entry = await onlyEntry(
      tarOf([{ path: "a", pax: { "SCHILY.xattr.x": value } }]).slice(0, -1024),
    );
    expect(entry.records.get("SCHILY.xattr.x")).toEqual(value);
  });

  test("takes owners and times from records, exact to the nanosecond", async () => {
    const records = [
      ["uid", "3000000"],
      ["gid", "3000001"],
      ["mtime", "-1.5"],
      ["uname", "user"],
    ] as const;
    const entry = await onlyEntry(pax(...records), file("a"));
    expect(entry).toMatchObject({ uid: 3_000_000, gid: 3_000_001, modifiedNs: -1_500_000_000n });
    expect(new TextDecoder().decode(entry.userName)).toBe("user");
  });

  test("applies what holds for all entries, until an entry says otherwise", async () => {
    const all = extension("g", text.encode(record("uid", "7") + record("comment", "x")));
    const entries = await entriesOf(all, file("a"), pax(["uid", "8"]), file("b"), file("c"), end);
    expect(entries.map(({ name, uid }) => [name, uid])).toEqual([
      ["a", 7],
      ["b", 8],
      ["c", 7],
    ]);
    expect([...(entries[2]?.globalRecords.keys() ?? [])]).toEqual(["uid", "comment"]);
    expect(entries[2]?.records.size).toBe(0);
  });

  test.each([
    ["GNU", (long: string) => [extension("L", text.encode(`${long}\0`))]],
    ["pax", (long: string) => [pax(["path", long])]],
    [
      "both alike",
      (long: string) => [extension("L", text.encode(`${long}\0`)), pax(["path", long])],
    ],
  ])("reads long names by %s", async (_, extensions) => {
    const long = `${"long/".repeat(300)}name`;
    const entry = await onlyEntry(...extensions(long), file("short"));
    expect(entry.name).toBe(long);
    expect(entry.start).toBe(0);
  });

  test("reads long links", async () => {
    const long = `${"long/".repeat(300)}name`;
    const link = tarHeader({ path: "a", kind: "symlink", target: "b" });
    expect((await onlyEntry(extension("K", text.encode(`${long}\0`)), link)).link).toBe(long);
    expect((await onlyEntry(pax(["linkpath", long]), link)).link).toBe(long);
  });

  test("takes an old directory for one", async () => {
    const entry = await onlyEntry(
      tarHeaderWith({ path: "d/" }, { 156: "\0", 257: "\0".repeat(8) }),
    );
    expect(entry.kind).toBe("directory");
  });

  test.each([
    ["old GNU", [tarHeaderWith({ path: "s" }, { 156: "S", 257: "ustar  \0" }, 7), block(body)]],
    [
      "old GNU with a long map",
      [
        tarHeaderWith({ path: "s" }, { 156: "S", 257: "ustar  \0", 482: "\x01" }, 7),
        new Uint8Array(512).with(504, 1),
        new Uint8Array(512),
        block(body),
      ],
    ],
    ["pax", [pax(["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"]), file("s")]],
  ])("knows a file with holes: %s", async (_, parts) => {
    const [entry, next] = await entriesOf(...parts, file("next"), end);
    expect(entry).toMatchObject({ sparse: true, size: 7 });
    expect(next).toMatchObject({ name: "next", sparse: false });
  });

  test("passes over what it does not know", async () => {
    const label = tarHeaderWith({ path: "label" }, { 156: "V", 257: "ustar  \0" });
    expect((await entriesOf(label, file("a"), end)).map(({ kind }) => kind)).toEqual([
      "other",
      "file",
    ]);
  });

  test.each([
    ["nothing", []],
    ["nothing but an end", [end]],
    ["nothing but half an end", [new Uint8Array(512)]],
  ])("takes %s for an empty archive", async (_, parts) => {
    expect(await entriesOf(...parts)).toEqual([]);
  });

  test("needs no end, and no padding before the end of the stream", async () => {
    const whole = file("a");
    expect(await entriesOf(whole)).toHaveLength(1);
    expect(await entriesOf(whole.subarray(0, 512 + body.length))).toHaveLength(1);
  });

  const sized = (size: string) => tarHeaderWith({ path: "a" }, { 124: size.padEnd(12, "\0") });
  const many = "x".repeat(limits.tarNameBytes + 1);

  test.each<[string, readonly Uint8Array[], string | RegExp]>([
    ["a header cut off", [file("a").subarray(0, 300)], "Tar archive is cut off in a header"],
    [
      "content cut off",
      [file("a").subarray(0, 515)],
      "Tar archive is cut off in the content of an entry",
    ],
    [
      "a size beyond the end",
      [sized("77777777777"), end],
      "Tar archive is cut off in the content of an entry",
    ],
    ["a negative size", [sized("\xff".repeat(12)), end], "Tar header has the negative size -1"],
    [
      "a negative size in a record",
      [pax(["size", "-7"]), file("a"), end],
      "Tar entry has the negative size -7",
    ],
    [
      "two sizes",
      [pax(["size", "8"]), file("a"), end],
      'Tar entry "a" has two sizes, 7 and 8 bytes',
    ],
    [
      "a size that only one format has",
      [pax(["size", "7"]), sized("0"), block(body), end],
      'Tar entry "a" has two sizes, 0 and 7 bytes',
    ],
    [
      "two sizes in one record",
      [extension("x", text.encode(record("size", "7") + record("size", "8"))), file("a"), end],
      "Extended tar header contradicts itself about size",
    ],
    [
      "a size for all entries",
      [extension("g", text.encode(record("size", "7"))), file("a"), end],
      "Tar archive has one size for all entries",
    ],
    [
      "a name for all entries",
      [extension("g", text.encode(record("path", "x"))), file("a"), end],
      "Tar archive has one path for all entries",
    ],
    [
      "a link with content",
      [tarHeader({ path: "a", kind: "hardLink", target: "b" }, 7), block(body), end],
      'Tar entry "a" is a hard link, but has 7 bytes of content',
    ],
    [
      "a symbolic link with content",
      [tarHeader({ path: "a", kind: "symlink", target: "b" }, 7), block(body), end],
      'Tar entry "a" is a symbolic link, but has 7 bytes of content',
    ],
    [
      "a directory with content",
      [tarHeader({ path: "a/", kind: "directory" }, 7), block(body), end],
      'Tar entry "a/" is a directory, but has 7 bytes of content',
    ],
    [
      "two names",
      [extension("L", text.encode("x\0")), pax(["path", "y"]), file("a"), end],
      'Tar entry has two names, "x" and "y"',
    ],
    [
      "two extensions of a kind",
      [pax(["path", "y"]), pax(["path", "y"]), file("a"), end],
      "A tar entry has two extended headers of a kind",
    ],
    [
      "an extension of nothing",
      [pax(["path", "y"]), end],
      "Tar archive ends after an extended header",
    ],
    [
      "an extension cut off",
      [pax(["path", "y"]).subarray(0, 600)],
      "Tar archive is cut off in an extended header",
    ],
    [
      "entries behind a block of zeros",
      [new Uint8Array(512), file("a"), end],
      "Tar archive goes on after a block of zeros",
    ],
    [
      "a wrong checksum",
      [file("a").fill(0x62, 0, 1)],
      "Not a tar archive: a header has the wrong checksum",
    ],
    [
      "a name without an end in sight",
      [extension("L", text.encode(`${many}\0`)), file("a"), end],
      `Tar archive has a longer name than ${limits.tarNameBytes} bytes`,
    ],
    [
      "the same in a record",
      [pax(["path", many]), file("a"), end],
      `Tar archive has a longer name than ${limits.tarNameBytes} bytes`,
    ],
    [
      "too much in records",
      [tarHeaderWith({ path: "x" }, { 156: "x" }, limits.tarRecordsBytes + 1)],
      `Tar archive has a longer extended header than ${limits.tarRecordsBytes} bytes`,
    ],
  ])("P5: refuses %s", async (_, parts, message) => {
    const failure = await rejection(entriesOf(...parts));
    expect(failure.code).toBe("corrupt");
    expect(failure.message).toMatch(message);
  });

  test("P5: a size that does not fit into digits is taken from the record alone", async () => {
    const size = 9 * 2 ** 30;
    const header = tarHeaderWith({ path: "a" }, { 124: "77777777777\0" });
    const failure = await rejection(entriesOf(pax(["size", String(size)]), header, block(body)));
    expect(failure.message).toBe("Tar archive is cut off in the content of an entry");
  });

  test("P1: records that never end cost no memory", async () => {
    const endless = async function* () {
      yield tarHeaderWith({ path: "x" }, { 156: "x" }, 8 ** 11 - 1);
      throw new Error("more was read");
    };
    const work = (async () => {
      for await (const _ of readTar(endless()));
    })();
    expect((await rejection(work)).code).toBe("corrupt");
  });

  test("P5: fails on damaged archives with nothing but a Failure", async () => {
    const archive = Buffer.concat([
      pax(["path", "long"], ["uid", "1"]),
      file("a"),
      extension("L", text.encode("x\0")),
      file("b"),
      end,
    ]);
    for (let round = 0; round < 300; round++) {
      const damaged = Buffer.from(archive);
      const dice = new DataView(randomBytes(`damage/${round}`, 8).slice().buffer);
      damaged[dice.getUint32(0) % damaged.length] = dice.getUint8(4);
      try {
        await entriesOf(damaged.subarray(0, damaged.length - (dice.getUint8(5) % 3) * 512));
      } catch (error) {
        if (!(error instanceof Failure)) throw new Error(`round ${round}: ${String(error)}`);
        expect(error.code).toBe("corrupt");
      }
    }
  });

  test("does not give the content of an entry that has passed", async () => {
    let earlier: ByteStream | undefined;
    for await (const { content } of readTar(streamOf(file("a"), file("b"), end))) {
      const passed = earlier;
      if (passed !== undefined) expect((await rejection(collect(passed, 100))).code).toBe("bug");
      earlier = content;
    }
  });
});
