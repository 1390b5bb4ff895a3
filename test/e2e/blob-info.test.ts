// Blob info: what is known of blobs, shared with the original in one file.

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { registryProgram, startPeerRegistry } from "../support/peers.ts";
import { succeed } from "../support/run.ts";
import { type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { sampleImage, writeDirectory } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

const cache = ".local/share/containers/cache/blob-info-cache-v1.sqlite";

/** One user with a home, and an image in a directory. */
class User implements Disposable {
  readonly #workspace = new Workspace();
  readonly cachePath = this.#workspace.at("home", cache);

  constructor(seed: string) {
    writeDirectory(
      this.#workspace.at("image"),
      sampleImage({ seed, format: "oci", layers: ["none", "gzip", "none"] }),
    );
  }

  /** Copies the image, or what `from` names, by this program or by another one. */
  async copy(
    to: string,
    {
      from = "dir:image",
      program,
      flags = [],
    }: { from?: string; program?: string; flags?: readonly string[] } = {},
  ) {
    const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    return succeed(["--insecure-policy", "copy", ...plain, ...flags, from, to], {
      cwd: this.#workspace.path,
      env: { HOME: this.#workspace.at("home") },
      ...(program !== undefined && { program }),
    });
  }

  /** How many rows each table has. */
  rows(): Readonly<Record<string, number>> {
    using database = new Database(this.cachePath, { readonly: true });
    const count = (table: string) =>
      database.query<{ rows: number }, []>(`SELECT count(*) AS rows FROM ${table}`).get()?.rows ??
      0;
    const tables = ["DigestUncompressedPairs", "DigestCompressors", "KnownLocations"];
    return Object.fromEntries(tables.map((table) => [table, count(table)]));
  }

  /** Returns a path in the user's own directory. */
  at(...names: readonly string[]): string {
    return join(this.#workspace.path, ...names);
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
  }
}

/** How often each method was used since the last time, uploads of the config left out. */
function layersSent({ lines }: RegistryServer): number {
  return lines.filter((line) => line.startsWith("PATCH")).length;
}

describe("copy", () => {
  test("compresses a layer once for all repositories of a registry", async () => {
    await using registry = startRegistry();
    using user = new User("once");
    await user.copy(`docker://${registry.host}/one/x:1`);
    expect(layersSent(registry)).toBe(4);
    registry.forget();
    await user.copy(`docker://${registry.host}/two/y:1`);
    // All four are mounted.
    expect(layersSent(registry)).toBe(0);
    const [one, two] = ["one/x", "two/y"].map((name) => registry.repository(name).tags.get("1"));
    expect(two).toBe(one as never);
    expect(user.rows()).toEqual({
      DigestUncompressedPairs: 4,
      DigestCompressors: 5,
      KnownLocations: 8,
    });
  });

  test("remembers where it read a blob, and compresses nothing that must not change", async () => {
    await using registry = startRegistry();
    using user = new User("read");
    await user.copy(`docker://${registry.host}/one/x:1`);
    await user.copy("dir:copied", { from: `docker://${registry.host}/one/x:1` });
    registry.forget();
    await user.copy(`docker://${registry.host}/two/y:1`, { from: "dir:copied" });
    expect(layersSent(registry)).toBe(0);
  });
});

describe("copy to a format that has no word for zstd", () => {
  test("takes the gzip of the same content", async () => {
    await using registry = startRegistry();
    using user = new User("no word for zstd");
    const to = `docker://${registry.host}/one/x`;
    const both = ["zstd", "gzip"] as const;
    for (const compression of both) {
      const sample = sampleImage({ seed: "both", format: "oci", layers: [compression] });
      writeDirectory(user.at(compression), sample);
      await user.copy(`${to}:${compression}`, { from: `dir:${compression}` });
    }
    for (const compression of both) {
      const flags = ["--dest-decompress"];
      await user.copy(`dir:${compression}-plain`, { from: `dir:${compression}`, flags });
    }
    const gzip = sampleImage({ seed: "both", format: "oci", layers: ["gzip"] }).layers[0]?.digest;
    for (const format of ["v2s2", "v2s1"]) {
      await user.copy(`${to}:${format}`, { from: "dir:zstd", flags: ["--format", format] });
      const written = registry.repository("one/x").manifest(format)?.bytes ?? new Uint8Array();
      expect(Buffer.from(written).toString()).toContain(gzip ?? "?");
    }
  });
});

// Before 1.14 the original kept another kind of file.
describe("copy and a newer original", () => {
  const peersTest = testWith("newer:skopeo", registryProgram);
  const programOf = (name: string) => (name === "dray" ? {} : { program: newerProgram("skopeo") });

  for (const [first, second] of [
    ["dray", "skopeo"],
    ["skopeo", "dray"],
  ] as const) {
    peersTest(`${second} mounts what ${first} has compressed and sent`, async () => {
      using user = new User(`${first} first`);
      await using registry = await startPeerRegistry({ directory: user.at("registry") });
      await user.copy(`docker://${registry.host}/one/x:1`, programOf(first));
      const before = registry.log().length;
      await user.copy(`docker://${registry.host}/two/y:1`, programOf(second));
      const log = registry.log().slice(before);
      const mounts = log
        .split("\n")
        .filter((line) => line.includes('uri="/v2/two/y/blobs/uploads/?from=one%2Fx&mount='))
        .filter((line) => line.includes("http.response.status=201"));
      // The original sends configs without looking for them elsewhere.
      expect(mounts).toHaveLength(second === "dray" ? 4 : 3);
    });
  }

  peersTest("write at the same time, and nothing is lost or broken", async () => {
    using user = new User("together");
    await using registry = await startPeerRegistry({ directory: user.at("registry") });
    const names = Array.from({ length: 8 }, (_, index) => `all/${index}`);
    await Promise.all(
      names.map((name, index) =>
        user.copy(
          `docker://${registry.host}/${name}:1`,
          programOf(index % 2 === 0 ? "dray" : "skopeo"),
        ),
      ),
    );
    using database = new Database(user.cachePath, { readonly: true });
    expect(database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    const seen = database
      .query<{ location: string }, []>("SELECT DISTINCT location FROM KnownLocations")
      .all();
    expect(seen.map(({ location }) => location).toSorted()).toEqual(
      names.map((name) => `${registry.host}/${name}`),
    );
  });
});
