import { expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { removeAll } from "../../../transports/containers-storage/remove-all.ts";
import { Workspace } from "../../support/workspace.ts";

test("removeAll removes whatever it is called, and nothing that a link leads to", () => {
  using workspace = new Workspace();
  mkdirSync(workspace.at("tree/deep"), { recursive: true });
  mkdirSync(workspace.at("outside"));
  writeFileSync(workspace.at("outside/kept"), "");
  symlinkSync(workspace.at("outside"), workspace.at("tree/link"));
  const odd = Buffer.concat([Buffer.from(workspace.at("tree/deep/")), Buffer.from([0xff, 0x0a])]);
  writeFileSync(odd, "");
  removeAll(workspace.at("tree"));
  expect(existsSync(workspace.at("tree"))).toBe(false);
  expect(existsSync(workspace.at("outside/kept"))).toBe(true);
  writeFileSync(workspace.at("file"), "");
  removeAll(workspace.at("file"));
  expect(existsSync(workspace.at("file"))).toBe(false);
});

test("removeAll has nothing against nothing", () => {
  using workspace = new Workspace();
  removeAll(workspace.at("none"));
  removeAll(workspace.at("none/below"));
});
