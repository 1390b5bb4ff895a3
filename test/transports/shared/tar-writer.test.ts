// The writer: archives that everybody reads, and failures that leave nothing.

import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { type ByteStream, streamOf } from "../../../core/blob/stream.ts";
import { Failure } from "../../../core/failure.ts";
import { Archive } from "../../../transports/shared/archive.ts";
import { readTar } from "../../../core/blob/tar-reader.ts";
import type { TarOutput } from "../../../transports/shared/tar-output.ts";
import { TarWriter } from "../../../transports/shared/tar-writer.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { tarOf } from "../../support/tar-bytes.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

/** An output in memory: one that can be changed, as a file, or one that cannot, as a pipe. */
class MemoryOutput implements TarOutput {
  bytes: Uint8Array = new Uint8Array();
  readonly undo?: NonNullable<TarOutput["undo"]>;

  constructor(kind: "file" | "pipe") {
    if (kind === "pipe") return;
    this.undo = {
      patch: async (bytes, offset) => this.bytes.set(bytes, offset),
      truncate: async (size) => {
        this.bytes = this.bytes.slice(0, size);
      },
    };
  }

  get position(): number {
    return this.bytes.length;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.bytes = Buffer.concat([this.bytes, bytes]);
  }

  async complete(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

interface Writing extends Disposable {
  readonly output: MemoryOutput;
  readonly writer: TarWriter;
  readonly workspace: Workspace;
}

function begin(kind: "file" | "pipe", signal = new AbortController().signal): Writing {
  const workspace = new Workspace();
  const output = new MemoryOutput(kind);
  const writer = new TarWriter(output, { signal, temporaryDirectory: workspace.path });
  return { output, writer, workspace, [Symbol.dispose]: () => workspace[Symbol.dispose]() };
}

async function listed({ bytes }: MemoryOutput): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { entry, content } of readTar(streamOf(bytes))) {
    const read = await collect(content, Infinity);
    found.push([entry.name, entry.kind, entry.link || Buffer.from(read).toString("latin1")]);
  }
  return found;
}

const text = (content: string): ByteStream => streamOf(new TextEncoder().encode(content));

async function* broken(content: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(content);
  throw new Failure("unavailable", "It broke");
}

describe.each(["file", "pipe"] as const)("TarWriter to a %s", (kind) => {
  test("writes every kind of entry, and an end", async () => {
    using writing = begin(kind);
    const { writer, output, workspace } = writing;
    await writer.addDirectory("d");
    expect(await writer.addFile({ name: "d/a", size: 7 }, text("content"))).toBe(7);
    expect(await writer.addFile({ name: "empty", size: 0 }, streamOf())).toBe(0);
    expect(await writer.addFile({ name: "unknown size" }, text("abc"))).toBe(3);
    let known = "";
    const late = async function* () {
      yield* text("late");
      known = "known late";
    };
    await writer.addFile({ name: () => known, size: 4 }, late());
    await writer.addLink("link", "d/a");
    await writer.finish();
    expect(await listed(output)).toEqual([
      ["d/", "directory", ""],
      ["d/a", "file", "content"],
      ["empty", "file", ""],
      ["unknown size", "file", "abc"],
      ["known late", "file", "late"],
      ["link", "symbolic-link", "d/a"],
    ]);
    expect(output.bytes.subarray(-1024).every((byte) => byte === 0)).toBe(true);
    expect(output.bytes.length % 512).toBe(0);
    expect(treeOf(workspace.path)).toEqual({});
  });

  test("writes the same bytes for the same content, whoever writes it and when", async () => {
    using one = begin(kind);
    using two = begin("file");
    for (const { writer } of [one, two]) {
      await writer.addFile({ name: "a" }, text("content"));
      await writer.addFile({ name: "b", size: 3, mode: 0o444 }, text("abc"));
      await writer.finish();
    }
    expect(one.output.bytes).toEqual(two.output.bytes);
    for await (const { entry } of readTar(streamOf(one.output.bytes))) {
      expect(entry).toMatchObject({ uid: 0, gid: 0, modifiedNs: 0n });
      expect(entry.mode).toBe(entry.name === "a" ? 0o644 : 0o444);
    }
  });

  test("writes names that need an extended header", async () => {
    using writing = begin(kind);
    const name = `${"ü/".repeat(200)}name`;
    await writing.writer.addFile({ name, size: 1 }, text("a"));
    expect(await listed(writing.output)).toEqual([[name, "file", "a"]]);
  });

  test("adds one after the other, in the order of the calls", async () => {
    using writing = begin(kind);
    const content = randomBytes("content", 10_000);
    const names = ["a", "b", "c"];
    await Promise.all(
      names.map((name, at) => {
        const size = at === 1 ? {} : { size: content.length };
        return writing.writer.addFile({ name, ...size }, chunked(content, 100 * (3 - at)));
      }),
    );
    await writing.writer.finish();
    const entries = await listed(writing.output);
    expect(entries.map((entry) => Array.isArray(entry) && entry[0])).toEqual(names);
  });

  test("copies entries of another archive as they are", async () => {
    using writing = begin(kind);
    const other = tarOf([{ path: new Uint8Array([0xff]), uid: 7 }]).subarray(0, 512);
    await writing.writer.addRaw(streamOf(other));
    expect(writing.output.bytes).toEqual(Buffer.from(other));
  });

  test("ends on an abort", async () => {
    const abort = new AbortController();
    using writing = begin(kind, abort.signal);
    const own = new AbortController();
    own.abort();
    const file = { name: "a", size: 7 };
    const failed = writing.writer.addFile(file, text("content"), own.signal).catch((e) => e.name);
    expect(await failed).toBe("AbortError");
    abort.abort();
    expect(await writing.writer.addFile(file, text("content")).catch((e) => e.name)).toBe(
      "AbortError",
    );
  });

  test("what failed before its first byte may be tried again", async () => {
    using writing = begin(kind);
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      throw new Failure("unavailable", "It broke");
    };
    const file = { name: "a", size: 7 };
    expect((await rejection(writing.writer.addFile(file, silent()))).message).toBe("It broke");
    await writing.writer.addFile(file, text("content"));
    expect(await listed(writing.output)).toEqual([["a", "file", "content"]]);
  });
});

describe("TarWriter", () => {
  test.each([
    ["of known size", { name: "a", size: 7 }],
    ["of a size to be found out", { name: "a" }],
  ])("takes back a file %s that failed", async (_, file) => {
    using writing = begin("file");
    const { writer, output } = writing;
    await writer.addFile({ name: "first", size: 1 }, text("1"));
    const before = output.bytes;
    expect((await rejection(writer.addFile(file, broken("cont")))).message).toBe("It broke");
    expect(output.bytes).toEqual(before);
    await writer.addFile(file, text("content"));
    expect(await listed(output)).toEqual([
      ["first", "file", "1"],
      ["a", "file", "content"],
    ]);
  });

  test("does not go on where a part of a broken file has left", async () => {
    using writing = begin("pipe");
    const file = { name: "a", size: 7 };
    await rejection(writing.writer.addFile(file, broken("cont")));
    const size = writing.output.bytes.length;
    for (const again of [
      () => writing.writer.addFile(file, text("content")),
      () => writing.writer.finish(),
    ]) {
      expect((await rejection(again())).message).toBe(
        "Cannot go on writing an archive of which a broken part has left",
      );
    }
    expect(writing.output.bytes.length).toBe(size);
  });

  test("keeps what a pipe gets later in the temporary directory, and nothing after a failure", async () => {
    using writing = begin("pipe");
    const file = { name: "a" };
    const watched = async function* () {
      yield* text("abc");
      expect(Object.keys(treeOf(writing.workspace.path))).toHaveLength(1);
      throw new Failure("unavailable", "It broke");
    };
    await rejection(writing.writer.addFile(file, watched()));
    expect(treeOf(writing.workspace.path)).toEqual({});
    await writing.writer.addFile(file, text("content"));
    expect(await listed(writing.output)).toEqual([["a", "file", "content"]]);
  });

  test.each([
    ["less", "conten", 6],
    ["more", "content!", 8],
  ])("refuses %s content than it was promised", async (_, content, got) => {
    using writing = begin("file");
    for (const name of ["a", () => "a"]) {
      const failure = await rejection(writing.writer.addFile({ name, size: 7 }, text(content)));
      expect(failure.message).toBe(`Size mismatch when copying a, expected 7, got ${got}`);
    }
    expect(writing.output.bytes).toHaveLength(0);
  });

  test("GNU tar lists what it wrote, and our reader finds it", async () => {
    using writing = begin("file");
    await writing.writer.addDirectory("d/");
    await writing.writer.addFile({ name: "d/a", size: 7 }, text("content"));
    await writing.writer.addLink("link", "d/a");
    await writing.writer.finish();
    const path = writing.workspace.at("archive");
    await Bun.write(path, writing.output.bytes);
    const list = Bun.spawnSync(["tar", "tvf", path, "--full-time"], { env: { TZ: "UTC" } });
    expect(list.stdout.toString()).toBe(
      [
        "drwxr-xr-x 0/0               0 1970-01-01 00:00:00 d/",
        "-rw-r--r-- 0/0               7 1970-01-01 00:00:00 d/a",
        "lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 link -> d/a",
        "",
      ].join("\n"),
    );
    const signal = new AbortController().signal;
    await using archive = await Archive.open(path, { signal, temporaryDirectory: "/nowhere" });
    expect(archive.find("link")?.size).toBe(7);
  });
});
