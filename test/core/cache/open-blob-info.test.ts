import { afterAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { existsSync, writeFileSync } from "node:fs";

import type { BlobFact, CandidateWish } from "../../../core/cache/blob-info.ts";
import { openBlobInfo } from "../../../core/cache/open-blob-info.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { Workspace } from "../../support/workspace.ts";

const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

const digest = digestOf(new Uint8Array(1));
const scope = { transport: "docker", scope: "r" };
const fact: BlobFact = { kind: "location", scope, digest, location: "r/a" };
const wish: CandidateWish = { scope, digest, forms: [] };

function open(path: string | undefined, lines: string[] = []) {
  return openBlobInfo({ path, now: () => 0, debug: (line) => lines.push(line) });
}

describe("openBlobInfo", () => {
  test("touches no file where nothing was learned", async () => {
    const path = workspace.at("untouched");
    const info = open(path);
    expect(await info.candidates(wish)).toEqual([]);
    await info[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
  });

  test("knows in the same run what was learned, before it is written", async () => {
    const path = workspace.at("same-run");
    const info = open(path);
    info.note(fact);
    expect(await info.candidates(wish)).toEqual([{ digest, location: "r/a" }]);
    expect(existsSync(path)).toBe(false);
    await info[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(true);
  });

  test("knows in the next run what was learned in the last", async () => {
    const path = workspace.at("next-run");
    {
      await using info = open(path);
      info.note(fact);
    }
    await using info = open(path);
    expect(await info.candidates(wish)).toEqual([{ digest, location: "r/a" }]);
  });

  test.each([
    ["that cannot be made", () => "/proc/no-such-place/cache.sqlite"],
    [
      "that is no database",
      () => {
        writeFileSync(workspace.at("text"), "text ".repeat(1000));
        return workspace.at("text");
      },
    ],
  ])("keeps to this run, and says why to who debugs, with a file %s", async (_, path) => {
    const lines: string[] = [];
    const info = open(path(), lines);
    info.note(fact);
    expect(await info.candidates(wish)).toEqual([{ digest, location: "r/a" }]);
    await info[Symbol.asyncDispose]();
    expect(lines).toEqual([expect.stringMatching(/^What is known of blobs is not kept in /)]);
  });

  test("keeps to this run where there is no place", async () => {
    const lines: string[] = [];
    const info = open(undefined, lines);
    info.note(fact);
    expect(await info.candidates(wish)).toEqual([{ digest, location: "r/a" }]);
    await info[Symbol.asyncDispose]();
    expect(lines).toEqual([]);
  });

  test("does without what another process does not let go of", async () => {
    const path = workspace.at("locked");
    {
      await using info = open(path);
      info.note(fact);
    }
    using database = new Database(path);
    database.run("BEGIN EXCLUSIVE");
    const lines: string[] = [];
    const info = open(path, lines);
    const began = performance.now();
    expect(await info.candidates(wish)).toEqual([]);
    await info[Symbol.asyncDispose]();
    expect(lines.length).toBe(1);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
