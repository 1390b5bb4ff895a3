import { afterAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, statSync, writeFileSync } from "node:fs";

import type { BlobFact } from "../../../core/cache/blob-info.ts";
import type { BlobRecords } from "../../../core/cache/records.ts";
import { SqliteRecords } from "../../../core/cache/sqlite.ts";
import { chunkedAnnotations } from "../../../core/content/chunked-layer.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { recordsSuite } from "../../support/records-suite.ts";
import { Workspace } from "../../support/workspace.ts";

const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

let count = 0;
const freshPath = () => workspace.at(`${++count}`, "sub", "cache.sqlite");

function opened(path = freshPath()): SqliteRecords {
  const records = SqliteRecords.open(path, { create: true });
  if (records === undefined) throw new Error("nothing was made");
  return records;
}

recordsSuite("SqliteRecords", () => {
  const records = opened();
  return { records, [Symbol.dispose]: () => records[Symbol.dispose]() };
});

const layer = digestOf(new Uint8Array(1));
const scope = { transport: "docker", scope: "r" };
const fact: BlobFact = { kind: "compression", digest: layer, compression: "gzip" };

const at = (timeMs: number, location = "r/a") =>
  ({ fact: { kind: "location", scope, digest: layer, location }, timeMs }) as const;

/** What is in a table, by somebody else's eyes. */
function rows(path: string, table: string): unknown[] {
  using database = new Database(path, { readonly: true });
  return database.query(`SELECT * FROM ${table}`).all();
}

describe("SqliteRecords", () => {
  test("makes nothing to look something up", () => {
    const path = freshPath();
    expect(SqliteRecords.open(path, { create: false })).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  test("makes its directory for its owner alone, and all tables with the first fact", () => {
    const path = freshPath();
    using records = opened(path);
    records.keep([{ fact, timeMs: 0 }]);
    expect(statSync(workspace.at(`${count}`, "sub")).mode & 0o777).toBe(0o700);
    using database = new Database(path, { readonly: true });
    const names = database
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_master WHERE sql NOT NULL ORDER BY name",
      )
      .all()
      .map(({ name }) => name);
    expect(names).toEqual([
      "DigestCompressors",
      "DigestSpecificVariantCompressors",
      "DigestTOCUncompressedPairs",
      "DigestUncompressedPairs",
      "DigestUncompressedPairs_index_uncompressedDigest",
      "KnownLocations",
    ]);
  });

  test("writes times as the original does, and reads its own", () => {
    const path = freshPath();
    using records = opened(path);
    records.keep([at(Date.UTC(2026, 0, 2, 3, 4, 5, 67))]);
    expect(rows(path, "KnownLocations")).toEqual([
      {
        transport: "docker",
        scope: "r",
        digest: layer,
        location: "r/a",
        time: "2026-01-02 03:04:05.067+00:00",
      },
    ]);
  });

  test.each([
    ["2026-11-21 03:12:03.587559749+00:00", Date.UTC(2026, 10, 21, 3, 12, 3, 587)],
    ["2026-11-21 05:12:03.5+02:00", Date.UTC(2026, 10, 21, 3, 12, 3, 500)],
    ["2026-11-21 03:12:03+00:00", Date.UTC(2026, 10, 21, 3, 12, 3)],
    ["yesterday", 0],
  ])("reads the time %s", (text, timeMs) => {
    const path = freshPath();
    using records = opened(path);
    records.keep([at(1)]);
    {
      using database = new Database(path);
      database.run("UPDATE KnownLocations SET time = ?", [text]);
    }
    expect(records.seen(scope, layer)).toEqual([{ location: "r/a", timeMs }]);
  });

  test("writes down again where a blob was seen only after a day", () => {
    const path = freshPath();
    const day = 24 * 60 * 60 * 1000;
    using records = opened(path);
    for (const timeMs of [0, day, day + 1, day + 2]) records.keep([at(timeMs)]);
    expect(records.seen(scope, layer)).toEqual([{ location: "r/a", timeMs: day + 1 }]);
  });

  const chunked: BlobFact = {
    kind: "chunked",
    digest: layer,
    annotations: {
      [chunkedAnnotations.tocDigest]: digestOf(new Uint8Array(3)),
      [chunkedAnnotations.tocPosition]: "321938:1499:5025:1",
      [chunkedAnnotations.tarSplitPosition]: "323445:1529:27873",
    },
    uncompressed: digestOf(new Uint8Array(4)),
  };

  test("writes what is chunked as the original does, and reads its own", () => {
    const path = freshPath();
    using records = opened(path);
    records.keep([{ fact: chunked, timeMs: 0 }]);
    const said = JSON.stringify(chunked.annotations);
    expect(rows(path, "DigestSpecificVariantCompressors")).toEqual([
      {
        digest: layer,
        specificVariantCompressor: "zstd:chunked",
        specificVariantAnnotations: new TextEncoder().encode(said),
      },
    ]);
    expect(rows(path, "DigestTOCUncompressedPairs")).toEqual([
      {
        tocDigest: digestOf(new Uint8Array(3)),
        uncompressedDigest: digestOf(new Uint8Array(4)),
      },
    ]);
  });

  test.each([
    ["no JSON", "zstd:chunked", "{"],
    ["no object", "zstd:chunked", "[]"],
    [
      "positions that are none",
      "zstd:chunked",
      JSON.stringify(chunked.annotations).replace("1499", "x"),
    ],
    ["a variant nobody knows", "zstd:other", JSON.stringify(chunked.annotations)],
  ])("C1: takes %s for nothing", (_, name, said) => {
    const path = freshPath();
    using records = opened(path);
    records.keep([{ fact: chunked, timeMs: 0 }]);
    {
      using database = new Database(path);
      const change =
        "UPDATE DigestSpecificVariantCompressors SET specificVariantCompressor = ?, specificVariantAnnotations = ?";
      database.run(change, [name, said]);
    }
    expect(records.chunkedOf(layer)).toBeUndefined();
  });

  // C1: what others wrote is text from outside.
  test("C1: gives no digest that is none", () => {
    const path = freshPath();
    using records = opened(path);
    records.keep([{ fact: { kind: "content", digest: layer, uncompressed: layer }, timeMs: 0 }]);
    {
      using database = new Database(path);
      database.run("INSERT INTO DigestUncompressedPairs VALUES ('sha256:../x', ?)", [layer]);
      database.run("INSERT INTO DigestUncompressedPairs VALUES (?, '/etc')", [
        digestOf(new Uint8Array(2)),
      ]);
    }
    expect(records.sharing(layer)).toEqual([layer]);
    expect(records.uncompressedOf(digestOf(new Uint8Array(2)))).toBeUndefined();
  });

  test.each(["zstd:chunked", "bzip2", "unknown", ""])("cannot name the compression %p", (name) => {
    const path = freshPath();
    using records = opened(path);
    records.keep([{ fact, timeMs: 0 }]);
    {
      using database = new Database(path);
      database.run("UPDATE DigestCompressors SET compressor = ?", [name]);
    }
    expect(records.compressionOf(layer)).toBeUndefined();
  });

  test("fails on a file that is no database, and leaves it alone", () => {
    const path = workspace.at("text");
    writeFileSync(path, "not a database at all, but some text\n".repeat(100));
    expect(() => SqliteRecords.open(path, { create: false })).toThrow();
    expect(statSync(path).size).toBe(3700);
  });

  test("keeps all facts of several who write at a time", async () => {
    const path = freshPath();
    const script = `
      import { SqliteRecords } from ${JSON.stringify(import.meta.resolve("../../../core/cache/sqlite.ts"))};
      const [path, name] = process.argv.slice(-2);
      for (let i = 0; i < 10; i++) {
        const records = SqliteRecords.open(path, { create: true });
        records.keep([{ fact: { kind: "location", scope: { transport: "docker", scope: "r" }, digest: ${JSON.stringify(layer)}, location: name + i }, timeMs: 0 }]);
        records[Symbol.dispose]();
      }`;
    const children = ["a", "b", "c"].map((name) =>
      Bun.spawn([process.execPath, "-e", script, path, name], {
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0]);
    using records = opened(path);
    expect(new Set(records.seen(scope, layer).map(({ location }) => location)).size).toBe(30);
  });

  test("keeps facts of a failed transaction neither", () => {
    const records: BlobRecords = opened();
    const broken = { fact: { ...fact, digest: null as never }, timeMs: 0 };
    expect(() => records.keep([at(0), broken])).toThrow();
    expect(records.seen(scope, layer)).toEqual([]);
  });
});
