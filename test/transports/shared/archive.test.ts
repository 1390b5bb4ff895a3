// Archives: read where they lie, or kept once where they cannot be.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { collect } from "../../../core/blob/collect.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { tarHeader, tarOf } from "../../support/tar-bytes.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const content = randomBytes("content", 700_001);
const bytes = Buffer.from(
  tarOf([
    { path: "small", body: new TextEncoder().encode("small") },
    { path: "big", body: content },
    { path: "link", kind: "symlink", target: "big" },
  ]),
);

/** A directory for temporary files, and one for the archive. */
class Place implements Disposable {
  readonly #workspace = new Workspace();
  readonly temporary = this.#workspace.at("temporary");
  readonly path = this.#workspace.at("archive");

  constructor(archive: Uint8Array = bytes) {
    mkdirSync(this.temporary);
    writeFileSync(this.path, archive);
  }

  open(path = this.path, signal = new AbortController().signal): Promise<Archive> {
    return Archive.open(path, { signal, temporaryDirectory: this.temporary });
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }
}

const read = (archive: Archive, name: string) => archive.read(name, 1_000_000);

describe("Archive", () => {
  test.each([
    ["not at all", bytes],
    ["with gzip", Bun.gzipSync(bytes)],
    ["with zstd", Bun.zstdCompressSync(bytes)],
  ])("reads an archive compressed %s", async (_, stored) => {
    using place = new Place(stored);
    {
      await using archive = await place.open();
      expect(archive.entries.map(({ name }) => name)).toEqual(["small", "big", "link"]);
      expect(Buffer.compare((await read(archive, "link")) ?? new Uint8Array(), content)).toBe(0);
      expect(await read(archive, "nothing")).toBeUndefined();
      // What was kept has lost its name already.
      expect(treeOf(place.temporary)).toEqual({});
    }
  });

  test("reads a pipe, once", async () => {
    using place = new Place();
    const pipe = join(place.temporary, "../pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    const writer = Bun.spawn(["sh", "-c", `cat ${place.path} > ${pipe}`]);
    {
      await using archive = await place.open(pipe);
      expect(await read(archive, "small")).toEqual(Buffer.from("small"));
    }
    await writer.exited;
    expect(treeOf(place.temporary)).toEqual({});
  });

  test.each([["-"], ["/dev/stdin"]])("reads standard input by the name of %s", async (name) => {
    using place = new Place();
    const program = `
      import { Archive } from ${JSON.stringify(join(import.meta.dir, "../../../transports/shared/archive.ts"))};
      const signal = new AbortController().signal;
      const context = { signal, temporaryDirectory: ${JSON.stringify(place.temporary)} };
      await using archive = await Archive.open(${JSON.stringify(name)}, context);
      console.log(archive.find("link")?.size);`;
    for (const stdin of [Bun.file(place.path), new Blob([new Uint8Array(Bun.gzipSync(bytes))])]) {
      const child = Bun.spawn([process.execPath, "-e", program], { stdin, stdout: "pipe" });
      expect(await child.stdout.text()).toBe(`${content.length}\n`);
    }
    expect(treeOf(place.temporary)).toEqual({});
  });

  test("reads several at a time", async () => {
    using place = new Place();
    await using archive = await place.open();
    const all = await Promise.all(
      ["big", "small", "link", "big"].map((name) => read(archive, name)),
    );
    expect(all.map((each) => each?.length)).toEqual([
      content.length,
      5,
      content.length,
      content.length,
    ]);
  });

  test("gives an entry as it stands there", async () => {
    using place = new Place();
    await using archive = await place.open();
    const [small, big] = archive.entries;
    if (small === undefined || big === undefined) throw new Error("an entry is missing");
    const raw = async (entry: typeof small) => collect(archive.raw(entry), Infinity);
    expect(Buffer.compare(await raw(small), bytes.subarray(0, 1024))).toBe(0);
    expect((await raw(big)).length).toBe(512 + 1368 * 512);
  });

  test("an abort ends reading", async () => {
    using place = new Place();
    const abort = new AbortController();
    await using archive = await place.open(place.path, abort.signal);
    const found = archive.find("big");
    const reading = async () => {
      for await (const _ of found?.open() ?? []) abort.abort();
    };
    expect(await reading().catch((error) => error.name)).toBe("AbortError");
  });

  test("says so when the archive shrinks under its hands", async () => {
    using place = new Place();
    await using archive = await place.open();
    truncateSync(place.path, 300_000);
    const failure = await rejection(read(archive, "big"));
    expect(failure).toMatchObject({ code: "corrupt" });
    expect(failure.message).toMatch(/ended after 300000 of \d+ bytes$/);
  });

  test("P1: a small file is read up to the limit", async () => {
    using place = new Place();
    await using archive = await place.open();
    expect((await rejection(archive.read("big", 1000))).message).toBe(
      'reading "big": exceeded maximum allowed size of 1000 bytes',
    );
  });

  test("takes blocks of zeros at the end for padding", async () => {
    using place = new Place(Buffer.concat([bytes, new Uint8Array(100_000)]));
    await using archive = await place.open();
    expect(archive.entries).toHaveLength(3);
  });

  const cut = Bun.gzipSync(bytes);
  const behind = Buffer.from("behind");
  test.each<[string, Uint8Array, string | RegExp]>([
    ["what is too short", behind, "Not a tar archive: it is too short"],
    ["what is no archive", randomBytes("noise", 5000), /^Not a tar archive: |^Tar header has/],
    ["what is cut off", bytes.subarray(0, 300_000), /cut off/],
    [
      "what is followed by something",
      Buffer.concat([bytes, behind]),
      "Tar archive is followed by something else",
    ],
    [
      "what is followed by another archive",
      Buffer.concat([bytes, bytes]),
      "Tar archive is followed by something else",
    ],
    [
      "gzip of what is no archive",
      Bun.gzipSync(new Uint8Array(randomBytes("noise", 5000))),
      /^Not a tar archive: |^Tar header has/,
    ],
    ["gzip of what is too short", Bun.gzipSync(behind), "Not a tar archive: it is too short"],
    ["gzip that is cut off", cut.subarray(0, cut.length - 10), /^Archive is not valid gzip/],
    [
      "gzip that is followed by something",
      Buffer.concat([cut, behind]),
      /^Archive is not valid gzip/,
    ],
    [
      "a wrong header",
      Buffer.concat([tarHeader({ path: "a" }).subarray(1), behind, bytes]),
      /^Not a tar archive|^Tar header/,
    ],
  ])("refuses %s, and keeps nothing", async (_, stored, message) => {
    using place = new Place(stored);
    const failure = await rejection(place.open());
    expect(failure.code).toBe("corrupt");
    expect(failure.message).toMatch(message);
    expect(treeOf(place.temporary)).toEqual({});
  });

  test.each([
    ["bzip2", "BZh91AY"],
    ["xz", "\xfd7zXZ\0"],
  ])("refuses %s by its name, and says what to do", async (compression, start) => {
    using place = new Place(Buffer.from(`${start}${"x".repeat(1000)}`, "latin1"));
    expect(await rejection(place.open())).toMatchObject({
      code: "unsupported",
      message: `${place.path} is compressed with ${compression}`,
      hint: expect.stringContaining(`${compression} -dc`),
    });
  });

  test("does not fill the disk with what is no archive", async () => {
    using place = new Place(Bun.gzipSync(new Uint8Array(50_000_000).fill(1)));
    expect((await rejection(place.open())).code).toBe("corrupt");
    expect(treeOf(place.temporary)).toEqual({});
  });

  test("fails in plain words where there is no file", async () => {
    using place = new Place();
    const missing = `${place.path}.missing`;
    expect((await rejection(place.open(missing))).message).toBe(
      `open ${missing}: no such file or directory`,
    );
    expect((await rejection(place.open(place.temporary))).message).toBe(
      `read ${place.temporary}: is a directory`,
    );
    expect(readFileSync(place.path)).toHaveLength(bytes.length);
  });
});
