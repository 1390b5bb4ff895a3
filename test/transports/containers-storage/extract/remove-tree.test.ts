import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import {
  namesIn,
  pathOf,
  removeTree,
} from "../../../../transports/containers-storage/extract/remove-tree.ts";
import { treeCalls } from "../../../../transports/shared/libc/tree-calls.ts";
import { Workspace } from "../../../support/workspace.ts";

test("removeTree removes everything, and nothing that a link leads to", () => {
  using workspace = new Workspace();
  mkdirSync(workspace.at("kept"));
  writeFileSync(workspace.at("kept/file"), "");
  mkdirSync(workspace.at("gone/a/b"), { recursive: true });
  writeFileSync(workspace.at("gone/a/b/file"), "");
  writeFileSync(Buffer.concat([Buffer.from(workspace.at("gone/")), Buffer.from([0xff])]), "");
  symlinkSync("../kept", workspace.at("gone/link"));
  const directory = openSync(workspace.path, "r");
  const remove = (name: string) =>
    removeTree(treeCalls(), { directory, name: Buffer.from(`${name}\0`) }, name);
  remove("gone");
  remove("gone");
  expect(readdirSync(workspace.path)).toEqual(["kept"]);
  expect(readdirSync(workspace.at("kept"))).toEqual(["file"]);
  symlinkSync("kept", workspace.at("link"));
  remove("link");
  expect(namesIn(directory)).toEqual(["kept"]);
  const path = pathOf({ directory, name: Buffer.from("kept\0") });
  expect(Buffer.from(path).toString()).toBe(`/proc/self/fd/${directory}/kept\0`);
  closeSync(directory);
});

test("removeTree removes what is deeper than files may be open", () => {
  using workspace = new Workspace();
  const [calls, name] = [treeCalls(), Buffer.from("d\0")];
  let [deepest, open] = [openSync(workspace.path, "r"), 0];
  const directory = openSync(workspace.path, "r");
  for (let level = 0; level < 300; level++) {
    calls.makeDirectory(deepest, name, 0o700);
    const below = calls.open(deepest, name, 0, 0);
    calls.close(deepest);
    deepest = below;
  }
  calls.close(deepest);
  const counting = {
    ...calls,
    open(...args: Parameters<typeof calls.open>) {
      open++;
      expect(open).toBeLessThan(100);
      return calls.open(...args);
    },
    close(descriptor: number) {
      open--;
      return calls.close(descriptor);
    },
  };
  removeTree(counting, { directory, name }, "d");
  expect(readdirSync(workspace.path)).toEqual([]);
  closeSync(directory);
});
