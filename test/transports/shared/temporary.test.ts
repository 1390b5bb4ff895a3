// Temporary names, and what becomes of forgotten ones.

import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { limits } from "../../../core/limits.ts";
import {
  isTemporaryName,
  makeDirectories,
  removeEmptyDirectories,
  removeLeftovers,
  temporaryPath,
} from "../../../transports/shared/temporary.ts";
import { Workspace } from "../../support/workspace.ts";

const nowMs = 1_700_000_000_000;

describe("temporaryPath", () => {
  test("F10: gives names that nobody can guess, and that are known again", () => {
    const names = new Set(Array.from({ length: 100 }, () => basename(temporaryPath("/x"))));
    expect(names.size).toBe(100);
    for (const name of names) expect(isTemporaryName(name)).toBe(true);
  });

  test.each([".dray-lock", ".dray-", "dray-1", ".dray-../../x", "oci-put-blob1", "index.json"])(
    "F11: does not take %s for one",
    (name) => {
      expect(isTemporaryName(name)).toBe(false);
    },
  );
});

describe("removeLeftovers", () => {
  test("F11: removes our own old ones, and nothing else", () => {
    using workspace = new Workspace();
    const old = temporaryPath(workspace.path);
    const oldDirectory = temporaryPath(workspace.path);
    const fresh = temporaryPath(workspace.path);
    const foreign = workspace.at("oci-put-blob123");
    for (const path of [old, fresh, foreign]) writeFileSync(path, "x");
    mkdirSync(oldDirectory);
    writeFileSync(`${oldDirectory}/x`, "x");
    const oldSeconds = (nowMs - limits.leftoverMs) / 1000;
    for (const path of [old, oldDirectory, foreign]) utimesSync(path, oldSeconds, oldSeconds);
    utimesSync(fresh, oldSeconds + 1, oldSeconds + 1);
    removeLeftovers(workspace.path, nowMs);
    expect(readdirSync(workspace.path).toSorted()).toEqual(
      [basename(fresh), basename(foreign)].toSorted(),
    );
  });

  test("F10: does not follow a link that poses as one", () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("elsewhere"));
    writeFileSync(workspace.at("elsewhere", "precious"), "x");
    mkdirSync(workspace.at("here"));
    symlinkSync(workspace.at("elsewhere"), temporaryPath(workspace.at("here")));
    removeLeftovers(
      workspace.at("here"),
      lstatSync(workspace.path).mtimeMs + 2 * limits.leftoverMs,
    );
    expect(readdirSync(workspace.at("here"))).toEqual([]);
    expect(readdirSync(workspace.at("elsewhere"))).toEqual(["precious"]);
  });
});

describe("makeDirectories", () => {
  test("says which were missing, and removeEmptyDirectories takes those back", () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("there"));
    const made = makeDirectories(workspace.at("there", "a", "b"));
    expect(made).toEqual([workspace.at("there", "a", "b"), workspace.at("there", "a")]);
    expect(makeDirectories(workspace.at("there", "a"))).toEqual([]);
    removeEmptyDirectories(made);
    expect(readdirSync(workspace.at("there"))).toEqual([]);
    expect(readdirSync(workspace.path)).toEqual(["there"]);
  });

  test("removeEmptyDirectories leaves what others put there", () => {
    using workspace = new Workspace();
    const made = makeDirectories(workspace.at("a", "b"));
    writeFileSync(workspace.at("a", "x"), "");
    removeEmptyDirectories(made);
    expect(readdirSync(workspace.at("a"))).toEqual(["x"]);
  });

  test("fails with io where there is a file", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("file"), "");
    expect(() => makeDirectories(workspace.at("file", "a"))).toThrow("not a directory");
  });
});
