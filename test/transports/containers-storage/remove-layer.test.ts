import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { removeLayerFiles } from "../../../transports/containers-storage/remove-layer.ts";
import { StagingDirectory } from "../../../transports/containers-storage/staging-directory.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { Workspace } from "../../support/workspace.ts";

function madeLayer(workspace: Workspace, link: string): StorePlace {
  for (const directory of ["overlay/l", "overlay/a/diff", "overlay-layers/a"]) {
    mkdirSync(workspace.at(directory), { recursive: true });
  }
  writeFileSync(workspace.at("overlay/a/link"), link);
  symlinkSync("../a/diff", workspace.at("overlay/l/ABC"));
  writeFileSync(workspace.at("overlay-layers/a.tar-split.gz"), "");
  return new StorePlace(workspace.path, "overlay");
}

test("removeLayerFiles leaves nothing of a layer", () => {
  using workspace = new Workspace();
  removeLayerFiles(madeLayer(workspace, "ABC"), "a");
  expect(readdirSync(workspace.at("overlay"))).toEqual(["l"]);
  expect(readdirSync(workspace.at("overlay/l"))).toEqual([]);
  expect(readdirSync(workspace.at("overlay-layers"))).toEqual([]);
});

test("removeLayerFiles puts files aside, so that others need not wait", async () => {
  using workspace = new Workspace();
  const place = madeLayer(workspace, "ABC");
  await using trash = await StagingDirectory.create(workspace.at("overlay/tempdirs"));
  removeLayerFiles(place, "a", trash);
  removeLayerFiles(place, "a", trash);
  expect(readdirSync(trash.path)).toHaveLength(1);
  expect(readdirSync(workspace.at("overlay")).toSorted()).toEqual(["l", "tempdirs"]);
});

test("removeLayerFiles goes nowhere that a short name cannot be", () => {
  using workspace = new Workspace();
  writeFileSync(workspace.at("kept"), "");
  removeLayerFiles(madeLayer(workspace, "../../kept"), "a");
  expect(readdirSync(workspace.path)).toContain("kept");
});
