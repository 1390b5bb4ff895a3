// explicitPath: absolute, every link followed, and what is missing named.

import { describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { explicitPath } from "../../../transports/shared/explicit-path.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

/** A directory, a file, links to them, a link that leads nowhere, and one that leads to itself. */
function scene(): { readonly workspace: Workspace; readonly real: string } {
  const workspace = new Workspace();
  const real = realpathSync(workspace.path);
  mkdirSync(workspace.at("directory"));
  writeFileSync(workspace.at("file"), "");
  symlinkSync("directory", workspace.at("link"));
  symlinkSync(`${real}/link/../link`, workspace.at("far"));
  symlinkSync("nowhere", workspace.at("dangling"));
  symlinkSync("loop", workspace.at("loop"));
  return { workspace, real };
}

describe("explicitPath", () => {
  test.each([
    ["an existing directory", "directory", "directory"],
    ["a trailing slash", "directory/", "directory"],
    ["dots and doubled slashes", "./directory//./.", "directory"],
    ["a link", "link", "directory"],
    ["links through links", "far", "directory"],
    ["something new", "new", "new"],
    ["something new in a linked directory", "far/new", "directory/new"],
    ["a parent by two dots", "directory/../link", "directory"],
  ])("resolves %s", (_, path, expected) => {
    const { workspace, real } = scene();
    using _workspace = workspace;
    expect(explicitPath(`${workspace.path}/${path}`)).toBe(`${real}/${expected}`);
  });

  test("takes no path at all for the current directory", () => {
    expect(explicitPath("")).toBe(realpathSync("."));
  });

  test.each([
    ["a missing parent", "no/such", /^lstat .*\/no: no such file or directory$/],
    ["a link that leads nowhere", "dangling", /^lstat .*\/nowhere: no such file or directory$/],
    ["a trailing slash on something new", "new/", /^lstat .*\/new: no such file or directory$/],
    ["two dots behind something new", "new/..", /^lstat .*\/new: no such file or directory$/],
    ["a file taken for a directory", "file/x", /^lstat .*\/file\/x: not a directory$/],
    ["a link to itself", "loop", /^lstat .*loop: too many links$/],
    ["two dots behind a link that leads nowhere", "dangling/..", /nowhere: no such file/],
  ])("fails on %s", (_, path, message) => {
    const { workspace } = scene();
    using _workspace = workspace;
    const failure = failureOf(() => explicitPath(`${workspace.path}/${path}`));
    expect(failure).toMatchObject({ code: "io", message: expect.stringMatching(message) });
  });
});
