// dir references.

import { describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { dir } from "../../../transports/dir/reference.ts";
import { Workspace } from "../../support/workspace.ts";

describe("dir", () => {
  test("keeps the path as it was given, and goes by the resolved one in policies", () => {
    using workspace = new Workspace();
    mkdirSync(workspace.at("real"));
    symlinkSync("real", workspace.at("link"));
    const real = realpathSync(workspace.path);
    const reference = dir.parseReference(workspace.at("link"));
    expect(reference).toMatchObject({
      transport: "dir",
      text: workspace.at("link"),
      policyIdentity: `${real}/real`,
    });
    expect(reference.policyNamespaces[0]).toBe(real);
    expect(reference.policyNamespaces).not.toContain("/");
    expect(reference.policyNamespaces).not.toContain(`${real}/real`);
  });

  test("takes colons for a part of the path", () => {
    using workspace = new Workspace();
    expect(dir.parseReference(workspace.at("a:b")).text).toBe(workspace.at("a:b"));
  });

  test("wants the parent to be there", () => {
    using workspace = new Workspace();
    expect(() => dir.parseReference(workspace.at("no", "x"))).toThrow(
      `lstat ${realpathSync(workspace.path)}/no: no such file or directory`,
    );
  });

  test("cannot delete and has no tags", () => {
    const reference = dir.parseReference(".");
    expect(reference.deleteImage).toBeUndefined();
    expect(reference.listTags).toBeUndefined();
  });
});
