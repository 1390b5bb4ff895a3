import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { imageDirectories } from "../../../core/sync/directory-images.ts";
import { failureOf } from "../../support/failure-of.ts";
import { Workspace } from "../../support/workspace.ts";

function treeWith(...files: readonly string[]): Workspace {
  const workspace = new Workspace();
  for (const file of files) {
    mkdirSync(dirname(workspace.at(file)), { recursive: true });
    writeFileSync(workspace.at(file), "{}");
  }
  return workspace;
}

describe("imageDirectories", () => {
  test("finds images in the order of names, and nothing behind an image's manifest", () => {
    using tree = treeWith(
      "b:1/manifest.json",
      "a/c:1/manifest.json",
      "b:1/x/manifest.json",
      "z/no",
    );
    expect(imageDirectories(tree.path)).toEqual([tree.at("a/c:1"), tree.at("b:1")]);
  });

  test("finds what stands before an image's manifest, as the original does", () => {
    using tree = treeWith("i/manifest.json", "i/a/manifest.json");
    expect(imageDirectories(tree.at("i/"))).toEqual([tree.at("i/a"), tree.at("i")]);
  });

  test("follows no links, and takes no directory for a manifest", () => {
    using tree = treeWith("a/manifest.json", "b/manifest.json/x");
    symlinkSync(tree.at("a"), tree.at("link"));
    expect(imageDirectories(tree.path)).toEqual([tree.at("a")]);
  });

  test("says that there is nothing", () => {
    expect(failureOf(() => imageDirectories("/no/such"))).toMatchObject({
      message: "Invalid source directory specified: stat /no/such: no such file or directory",
    });
  });
});
