// Deleting archives: on scratch files only.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { deleteFiles, planFiles } from "../../../transports/tarball/delete.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

describe("deleteFiles", () => {
  test("removes each file, and does not mind those that are gone", () => {
    using workspace = new Workspace();
    for (const name of ["a", "b", "c"]) writeFileSync(workspace.at(name), name);
    deleteFiles([workspace.at("a"), workspace.at("nothing"), workspace.at("b")]);
    expect(readdirSync(workspace.path)).toEqual(["c"]);
  });

  test.each<[what: string, make: (path: string) => void]>([
    ["a directory", (path) => mkdirSync(path)],
    ["a link", (path) => symlinkSync("a", path)],
    ["a pipe", (path) => void Bun.spawnSync(["mkfifo", path])],
  ])("removes nothing at all if one of them is %s", (_, make) => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a"), "a");
    make(workspace.at("odd"));
    expect(failureOf(() => deleteFiles([workspace.at("a"), workspace.at("odd")]))).toMatchObject({
      code: "refused",
      message: `error removing "${workspace.at("odd")}": not a regular file`,
    });
    expect(readdirSync(workspace.path).toSorted()).toEqual(["a", "odd"]);
  });

  test("has nothing to delete at standard input", () => {
    expect(failureOf(() => deleteFiles(["-"]))).toMatchObject({ code: "usage" });
  });
});

describe("planFiles", () => {
  test("says which files would be removed, and removes none", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("a"), "abc");
    expect(planFiles([workspace.at("a"), workspace.at("nothing")]).removals).toEqual([
      { kind: "file", name: workspace.at("a"), size: 3 },
    ]);
    expect(readdirSync(workspace.path)).toEqual(["a"]);
  });

  test("refuses what would be refused", () => {
    using workspace = new Workspace();
    expect(failureOf(() => planFiles([workspace.path]))).toMatchObject({ code: "refused" });
  });
});
