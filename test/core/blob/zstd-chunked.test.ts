import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { decompressed, detectCompression } from "../../../core/blob/decompress.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { parseTarSplit } from "../../../core/blob/tar-split.ts";
import { zstdChunked } from "../../../core/blob/zstd-chunked.ts";
import { Failure } from "../../../core/failure.ts";
import { fileContent, readTrailer, type TocEntry } from "../../support/chunked-layer.ts";
import { chunked } from "../../support/chunks.ts";
import { randomBytes } from "../../support/random.ts";
import { rejection } from "../../support/rejection.ts";
import { type TarEntry, tarHeaderWith, tarOf } from "../../support/tar-bytes.ts";

const limit = 64 * 1024 * 1024;
const MiB = 1024 * 1024;
const chunkBytes = 512 * 1024;
const large = randomBytes("large", 2 * chunkBytes + 5);

const files: readonly TarEntry[] = [
  { path: "./", kind: "directory", mode: 0o755, mtime: 1_700_000_000 },
  { path: "./empty", mode: 0o600, uid: 1000, gid: 100 },
  { path: "./small", body: Buffer.from("some text\n".repeat(1000)), mode: 0o4755 },
  { path: "./large", body: large, pax: { "SCHILY.xattr.user.a": new Uint8Array([0, 255]) } },
  { path: "./block", body: large.subarray(0, chunkBytes) },
  { path: "./link", kind: "symlink", target: "small" },
  { path: "./hard", kind: "hardLink", target: "./small" },
  { path: "./null", kind: "characterDevice", device: [1, 3] },
  { path: "./fifo", kind: "fifo", pax: { mtime: "1700000000.25", atime: "1.5", ctime: "-0.5" } },
];
const archive = tarOf(files);

interface Packed {
  readonly layer: Uint8Array;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

async function packed(bytes: Uint8Array, size = 65_536, atOnce?: number): Promise<Packed> {
  let annotations: Packed["annotations"];
  const annotate = (said: Packed["annotations"]) => void (annotations = said);
  const layer = await collect(zstdChunked(chunked(bytes, size), { annotate, atOnce }), limit);
  return { layer, annotations };
}

/** Checks that a layer is zstd of just these bytes, to readers who know nothing more. */
async function checkContent(layer: Uint8Array, bytes: Uint8Array): Promise<void> {
  expect(detectCompression(layer)).toBe("zstd");
  const back = await collect(decompressed("zstd")(streamOf(layer)), limit);
  expect(Buffer.from(back).equals(bytes)).toBe(true);
}

describe("zstdChunked", () => {
  test("is zstd of the archive, and tells where its files are", async () => {
    const { layer, annotations = {} } = await packed(archive);
    await checkContent(layer, archive);
    const { entries } = readTrailer(layer, annotations);
    for (const { path, body } of files) {
      if (body === undefined) continue;
      expect(fileContent(layer, entries, String(path)).equals(body)).toBe(true);
    }
    const said = entries.flatMap(({ digest, offset, endOffset, chunkDigest, ...entry }) =>
      entry.type === "chunk" ? [] : [entry],
    );
    const modtime = "1970-01-01T00:00:00Z";
    expect(said).toEqual([
      { type: "dir", name: "./", mode: 0o755, modtime: "2023-11-14T22:13:20Z" },
      { type: "reg", name: "./empty", mode: 0o600, modtime, uid: 1000, gid: 100 },
      { type: "reg", name: "./small", mode: 0o4755, size: 10_000, modtime },
      {
        type: "reg",
        name: "./large",
        mode: 0o644,
        size: large.length,
        modtime,
        xattrs: { "user.a": "AP8=" },
        chunkSize: chunkBytes,
      },
      { type: "reg", name: "./block", mode: 0o644, size: chunkBytes, modtime },
      { type: "symlink", name: "./link", linkName: "small", mode: 0o644, modtime },
      { type: "hardlink", name: "./hard", linkName: "./small", mode: 0o644, modtime },
      { type: "char", name: "./null", mode: 0o644, modtime, devMajor: 1, devMinor: 3 },
      {
        type: "fifo",
        name: "./fifo",
        mode: 0o644,
        modtime: "2023-11-14T22:13:20.25Z",
        accesstime: "1970-01-01T00:00:01.5Z",
        changetime: "1969-12-31T23:59:59.5Z",
      },
    ] as readonly unknown[] as TocEntry[]);
    const chunks = entries.filter(({ type }) => type === "chunk");
    expect(chunks.map(({ chunkOffset, chunkSize }) => [chunkOffset, chunkSize])).toEqual([
      [chunkBytes, chunkBytes],
      [2 * chunkBytes, 5],
    ]);
  });

  test("carries a tar-split from which the archive can be built again", async () => {
    const { layer, annotations = {} } = await packed(archive);
    const { entries, tarSplit } = readTrailer(layer, annotations);
    const parts: Uint8Array[] = [];
    for await (const record of parseTarSplit(streamOf(Buffer.from(tarSplit)))) {
      if (record.kind === "raw") parts.push(record.bytes);
      else if (record.size > 0) {
        parts.push(fileContent(layer, entries, new TextDecoder().decode(record.name)));
      }
    }
    expect(Buffer.concat(parts).equals(archive)).toBe(true);
  });

  test("gives the same bytes, however it is cut and however many pieces are in work", async () => {
    const all = [];
    for (const atOnce of [0, 1, 2, 4]) {
      for (const size of [999, 65_536, archive.length]) all.push(packed(archive, size, atOnce));
    }
    const results = (await Promise.all(all)).map(({ layer, annotations }) =>
      JSON.stringify([Bun.CryptoHasher.hash("sha256", layer, "hex"), annotations]),
    );
    expect(new Set(results).size).toBe(1);
  });

  const twice: readonly TarEntry[] = [{ path: "a" }, { path: "./a" }];
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["no archive", randomBytes("no archive", 3 * MiB)],
    ["an archive without entries", tarOf([])],
    ["zeros for ever", new Uint8Array(3 * MiB)],
    ["an archive that is cut off in a header", archive.subarray(0, 700)],
    ["an archive that is cut off in a file", archive.subarray(0, archive.length - MiB)],
    ["an archive with a name that comes twice", tarOf(twice)],
    ["an archive with a name that is no text", tarOf([{ path: new Uint8Array([0x61, 0xff]) }])],
    [
      "an entry of an unknown kind",
      Buffer.concat([tarHeaderWith({ path: "a" }, { 156: "V" }), archive]),
    ],
    ["an old sparse file", Buffer.concat([tarHeaderWith({ path: "a" }, { 156: "S" }), archive])],
    [
      "a broken header behind good ones",
      Buffer.concat([archive.subarray(0, 512), randomBytes("b", 5000)]),
    ],
  ])("makes plain zstd of %s, and says nothing of it", async (_, bytes) => {
    for (const size of [100, 65_536]) {
      const { layer, annotations } = await packed(bytes, size);
      await checkContent(layer, bytes);
      expect(annotations).toBeUndefined();
    }
  });

  test("keeps what stands behind the archive", async () => {
    const bytes = Buffer.concat([archive, randomBytes("behind", 2_000_000)]);
    const { layer, annotations = {} } = await packed(bytes);
    await checkContent(layer, bytes);
    expect(readTrailer(layer, annotations).entries.length).toBeGreaterThan(files.length);
  });

  test("fails as the stream does, and says nothing of it", async () => {
    let said = false;
    let released = false;
    const failing = async function* () {
      try {
        yield archive.subarray(0, 100_000);
        throw new Failure("corrupt", "not what was promised");
      } finally {
        released = true;
      }
    };
    const packing = zstdChunked(failing(), { annotate: () => (said = true) });
    expect((await rejection(collect(packing, limit))).message).toBe("not what was promised");
    expect({ said, released }).toEqual({ said: false, released: true });
  });

  test("lets go of what feeds it when the reader leaves early", async () => {
    let released = false;
    const feed = async function* () {
      try {
        for (;;) yield archive;
      } finally {
        released = true;
      }
    };
    for await (const _ of zstdChunked(feed(), { annotate: () => undefined })) break;
    expect(released).toBe(true);
  });
});
