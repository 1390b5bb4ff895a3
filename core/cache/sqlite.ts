// SqliteRecords: facts about blobs, kept in a database that the original and its relatives share.

import { Database } from "bun:sqlite";
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Digest, isDigest } from "../content/digest.ts";
import {
  type ChunkedAnnotations,
  chunkedAnnotations,
  chunkedAnnotationsIn,
} from "../content/chunked-layer.ts";
import type { Compression } from "../content/media-types.ts";
import { Failure } from "../failure.ts";
import { isJsonObject, parseStrictJson } from "../json.ts";
import { limits } from "../limits.ts";
import type { BlobFact, BlobScope } from "./blob-info.ts";
import type { BlobRecords, DatedFact, SeenBlob } from "./records.ts";

/** The tables as the original makes them; the last one tells whether all are there. */
const tables = [
  `CREATE TABLE IF NOT EXISTS DigestUncompressedPairs (
     anyDigest TEXT PRIMARY KEY NOT NULL, uncompressedDigest TEXT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS DigestUncompressedPairs_index_uncompressedDigest
     ON DigestUncompressedPairs (uncompressedDigest)`,
  `CREATE TABLE IF NOT EXISTS DigestCompressors (
     digest TEXT PRIMARY KEY NOT NULL, compressor TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS KnownLocations (
     transport TEXT NOT NULL, scope TEXT NOT NULL, digest TEXT NOT NULL, location TEXT NOT NULL,
     time TIMESTAMP NOT NULL, PRIMARY KEY (transport, scope, digest, location))`,
  `CREATE TABLE IF NOT EXISTS DigestTOCUncompressedPairs (
     tocDigest TEXT PRIMARY KEY NOT NULL, uncompressedDigest TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS DigestSpecificVariantCompressors (
     digest TEXT PRIMARY KEY NOT NULL, specificVariantCompressor TEXT NOT NULL,
     specificVariantAnnotations BLOB NOT NULL)`,
];

/**
 * Facts about blobs in a database file. Several processes may use it at a time: whoever writes has it for
 * itself, and the others wait for a while. What it says is text from outside, and is parsed.
 */
export class SqliteRecords implements BlobRecords, Disposable {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
    database.run(`PRAGMA busy_timeout = ${limits.cacheWaitMs}`);
    database.run("PRAGMA synchronous = FULL");
  }

  /** Opens the file at `path`. Undefined if there is none, unless it is to be made. Fails as SQLite does. */
  static open(path: string, { create }: { readonly create: boolean }): SqliteRecords | undefined {
    if (!existsSync(path)) {
      if (!create) return undefined;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    }
    const records = new SqliteRecords(new Database(path, { create, readwrite: true }));
    try {
      if (create) records.#makeTables();
      if (records.#hasTables()) return records;
    } catch (error) {
      records[Symbol.dispose]();
      throw error;
    }
    records[Symbol.dispose]();
    return undefined;
  }

  seen({ transport, scope }: BlobScope, digest: Digest): readonly SeenBlob[] {
    return this.#database
      .query<{ location: string; time: string }, string[]>(
        "SELECT location, time FROM KnownLocations WHERE transport = ? AND scope = ? AND digest = ?",
      )
      .all(transport, scope, digest)
      .map(({ location, time }) => ({ location, timeMs: Date.parse(time) || 0 }));
  }

  uncompressedOf(digest: Digest): Digest | undefined {
    const known = this.#text(
      "SELECT uncompressedDigest AS text FROM DigestUncompressedPairs WHERE anyDigest = ?",
      digest,
    );
    if (known !== undefined) return isDigest(known) ? known : undefined;
    // What others are found to contain is not compressed itself.
    return this.sharing(digest).length > 0 ? digest : undefined;
  }

  sharing(uncompressed: Digest): readonly Digest[] {
    return this.#database
      .query<{ text: string }, string[]>(
        "SELECT anyDigest AS text FROM DigestUncompressedPairs WHERE uncompressedDigest = ?",
      )
      .all(uncompressed)
      .map(({ text }) => text)
      .filter(isDigest);
  }

  compressionOf(digest: Digest): Compression | undefined {
    const name = this.#text(
      "SELECT compressor AS text FROM DigestCompressors WHERE digest = ?",
      digest,
    );
    switch (name) {
      case "uncompressed":
        return "none";
      case "gzip":
      case "zstd":
        return name;
      default:
        return undefined;
    }
  }

  chunkedOf(digest: Digest): ChunkedAnnotations | undefined {
    const row = this.#database
      .query<{ name: string; said: Uint8Array | string }, string[]>(
        "SELECT specificVariantCompressor AS name, specificVariantAnnotations AS said FROM DigestSpecificVariantCompressors WHERE digest = ?",
      )
      .get(digest);
    return row?.name === chunkedName ? parseAnnotations(row.said) : undefined;
  }

  keep(facts: readonly DatedFact[]): void {
    const news = facts.filter((dated) => this.#isNew(dated));
    if (news.length === 0) return;
    this.#database
      .transaction(() => {
        for (const dated of news) this.#write(dated);
      })
      .exclusive();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #makeTables(): void {
    if (this.#hasTables()) return;
    this.#database
      .transaction(() => {
        for (const table of tables) this.#database.run(table);
      })
      .exclusive();
  }

  #hasTables(): boolean {
    const last = "DigestSpecificVariantCompressors";
    return (
      this.#text(
        "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name = ?",
        last,
      ) !== undefined
    );
  }

  /** What is on record does not cost a write, and when exactly a blob was seen matters little. */
  #isNew({ fact, timeMs }: DatedFact): boolean {
    switch (fact.kind) {
      case "content":
        return this.uncompressedOf(fact.digest) !== fact.uncompressed;
      case "compression":
        return this.compressionOf(fact.digest) !== fact.compression;
      case "chunked":
        return JSON.stringify(this.chunkedOf(fact.digest)) !== JSON.stringify(fact.annotations);
      case "location": {
        const seen = this.seen(fact.scope, fact.digest);
        const known = seen.find(({ location }) => location === fact.location);
        return known === undefined || known.timeMs < timeMs - limits.seenAgainMs;
      }
    }
  }

  #write({ fact, timeMs }: DatedFact): void {
    for (const [table, values] of rowsOf(fact, timeMs)) {
      const marks = values.map(() => "?").join(", ");
      this.#database.query(`INSERT OR REPLACE INTO ${table} VALUES (${marks})`).run(...values);
    }
  }

  #text(query: string, value: string): string | undefined {
    return this.#database.query<{ text: string }, string[]>(query).get(value)?.text;
  }
}

/** As the original calls it, beside the name of what everybody reads it as. */
const chunkedName = "zstd:chunked";

/** What others wrote down is text from outside; what is none of ours is nothing. */
function parseAnnotations(said: Uint8Array | string): ChunkedAnnotations | undefined {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  try {
    const document = parseStrictJson(bytes);
    return isJsonObject(document) ? chunkedAnnotationsIn(document) : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code !== "bug") return undefined;
    throw error;
  }
}

type Row = readonly [table: string, values: readonly (string | Uint8Array)[]];

function rowsOf(fact: BlobFact, timeMs: number): readonly Row[] {
  if (fact.kind !== "chunked") return [rowOf(fact, timeMs)];
  const { digest, annotations, uncompressed } = fact;
  const said = new TextEncoder().encode(JSON.stringify(annotations));
  const toc = annotations[chunkedAnnotations.tocDigest];
  return [
    ["DigestSpecificVariantCompressors", [digest, chunkedName, said]],
    ...(toc === undefined ? [] : [["DigestTOCUncompressedPairs", [toc, uncompressed]] as const]),
  ];
}

function rowOf(fact: Exclude<BlobFact, { kind: "chunked" }>, timeMs: number): Row {
  switch (fact.kind) {
    case "content":
      return ["DigestUncompressedPairs", [fact.digest, fact.uncompressed]];
    case "compression": {
      const { digest, compression } = fact;
      return ["DigestCompressors", [digest, compression === "none" ? "uncompressed" : compression]];
    }
    case "location": {
      const { scope, digest, location } = fact;
      return ["KnownLocations", [scope.transport, scope.scope, digest, location, timeText(timeMs)]];
    }
  }
}

/** As the original's driver writes times: it parses nothing else. */
function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("T", " ").replace("Z", "+00:00");
}
