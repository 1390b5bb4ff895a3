import { describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { ContainedTree } from "../../../transports/shared/contained-tree.ts";
import { Workspace } from "../../support/workspace.ts";

/** A tree with links of all kinds, beside a file that nobody is to reach. */
function hostileTree(workspace: Workspace): string {
  const root = workspace.at("root");
  mkdirSync(`${root}/a/b`, { recursive: true });
  mkdirSync(`${root}/etc`);
  writeFileSync(workspace.at("secret"), "outside");
  writeFileSync(`${root}/a/b/file`, "inside");
  writeFileSync(`${root}/etc/passwd`, "inside");
  symlinkSync("/etc", `${root}/absolute`);
  symlinkSync("../../../../../../../etc", `${root}/a/up`);
  symlinkSync("a/b/../../a/./b", `${root}/winding`);
  symlinkSync("/absolute", `${root}/chain`);
  symlinkSync("loop", `${root}/loop`);
  symlinkSync("nowhere", `${root}/dangling`);
  symlinkSync("..", `${root}/parent`);
  symlinkSync("/proc/self/fd", `${root}/magic`);
  return root;
}

describe.each(["kernel", "walk"] as const)("ContainedTree, looked up by %s", (lookup) => {
  test.each([
    ["", ""],
    ["a/b", "a/b"],
    ["absolute", "etc"],
    ["a/up", "etc"],
    ["winding", "a/b"],
    ["chain", "etc"],
    ["parent", ""],
    ["parent/parent/a", "a"],
  ])("finds the directory %p at %p", (path, real) => {
    using workspace = new Workspace();
    const root = hostileTree(workspace);
    using tree = new ContainedTree(root, lookup);
    expect(fstatSync(tree.directory(path)).ino).toBe(statSync(`${root}/${real}`).ino);
    expect(tree.directory(path)).toBe(tree.directory(path));
  });

  test.each([
    ["loop", "ELOOP"],
    ["dangling", "ENOENT"],
    ["magic", "ENOENT"],
    ["nothing", "ENOENT"],
    ["a/b/file", "ENOTDIR"],
    ["a/b/file/more", "ENOTDIR"],
    ["parent/secret", "ENOENT"],
  ])("finds no directory %p: %s", (path, code) => {
    using workspace = new Workspace();
    const root = hostileTree(workspace);
    using tree = new ContainedTree(root, lookup);
    expect(() => tree.directory(path)).toThrow(
      expect.objectContaining({ code, path: `${root}/${path}` }),
    );
  });

  test("opens regular files, and nothing else", () => {
    using workspace = new Workspace();
    using tree = new ContainedTree(hostileTree(workspace), lookup);
    const { descriptor, size } = tree.openFile("winding/file");
    expect([readFileSync(descriptor, "utf8"), size]).toEqual(["inside", 6]);
    closeSync(descriptor);
    const codes = ["absolute", "a", "nothing", "a/up/shadow", "parent/secret"].map((path) => {
      try {
        return tree.openFile(path);
      } catch (error) {
        return error instanceof Error && "code" in error ? error.code : error;
      }
    });
    expect(codes).toEqual(["EINVAL", "EINVAL", "ENOENT", "ENOENT", "ENOENT"]);
  });

  test("keeps few directories open, and closes all of them", () => {
    using workspace = new Workspace();
    for (let index = 0; index < 200; index += 1) mkdirSync(workspace.at(`d${index}`));
    const count = () => readdirSync("/proc/self/fd").length;
    const before = count();
    {
      using tree = new ContainedTree(workspace.path, lookup);
      for (let index = 0; index < 200; index += 1) tree.directory(`d${index}`);
      expect(count() - before).toBeLessThan(70);
      expect(fstatSync(tree.directory("d199")).isDirectory()).toBe(true);
      tree.forget();
      expect(count() - before).toBe(1);
    }
    expect(count()).toBe(before);
  });
});

test("a ContainedTree knows what has not been followed", () => {
  using workspace = new Workspace();
  using tree = new ContainedTree(hostileTree(workspace));
  const link = tree.status(tree.place("a/up"));
  expect((link?.mode ?? 0) & constants.S_IFMT).toBe(constants.S_IFLNK);
  expect(tree.status(tree.place("a/nothing"))).toBeUndefined();
  expect(tree.shown("\xc3\xbc")).toEndWith("/root/ü");
});
