import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import {
  LockedRecords,
  makeStore,
  readCompleteLayers,
  syncNames,
} from "../../../transports/containers-storage/change-store.ts";
import { tryLockFile } from "../../../transports/containers-storage/lock-file.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { temporaryPath } from "../../../transports/shared/temporary.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();

describe("LockedRecords", () => {
  test("replaces records under a lock, and tells everybody before", async () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.path, "overlay");
    const lockPath = workspace.at("overlay-images/images.lock");
    {
      await using images = await LockedRecords.lock(place, "images", context);
      expect(images.read()).toEqual([]);
      expect(await tryLockFile(lockPath)).toBeUndefined();
      // Of a run that was killed while it wrote.
      writeFileSync(temporaryPath(workspace.at("overlay-images")), "[");
      await images.write([{ id: "a", odd: { kept: [1, "<>"] } }]);
      expect(images.read()).toEqual([{ id: "a", odd: { kept: [1, "<>"] } }]);
    }
    expect(readdirSync(workspace.at("overlay-images")).toSorted()).toEqual([
      "images.json",
      "images.lock",
    ]);
    const path = workspace.at("overlay-images/images.json");
    // As Go writes it.
    expect(readFileSync(path, "utf8")).toBe('[{"id":"a","odd":{"kept":[1,"\\u003c\\u003e"]}}]');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(lockPath).size).toBe(64);
    await (await tryLockFile(lockPath))?.[Symbol.asyncDispose]();
  });
});

describe("readCompleteLayers", () => {
  test("removes what was begun and not completed, and says so", async () => {
    using workspace = new Workspace();
    const place = new StorePlace(workspace.path, "overlay");
    makeStore(place);
    mkdirSync(workspace.at("overlay/bad/diff"), { recursive: true });
    const records = [{ id: "good" }, { id: "bad", flags: { incomplete: true } }];
    writeFileSync(workspace.at("overlay-layers/layers.json"), JSON.stringify(records));
    const warnings: string[] = [];
    const log = { ...context.log, warn: (message: string) => void warnings.push(message) };
    await using layers = await LockedRecords.lock(place, "layers", context);
    const left = await readCompleteLayers(layers, place, { ...context, log });
    expect(left.map(({ id }) => id)).toEqual(["good"]);
    expect(layers.read()).toEqual([{ id: "good" }]);
    expect(existsSync(workspace.at("overlay/bad"))).toBe(false);
    expect(warnings).toEqual(['Found incomplete layer "bad", deleting it']);
  });
});

test.each([
  ["overlay", "overlay/l", 0o755],
  ["vfs", "vfs/dir", 0o700],
] as const)("makeStore makes a store of %s that engines can begin with", (driver, own, mode) => {
  using workspace = new Workspace();
  makeStore(new StorePlace(workspace.at("g"), driver));
  for (const part of ["", "-images", "-layers", "-containers"]) {
    expect(statSync(workspace.at("g", driver + part)).mode & 0o777).toBe(0o700);
  }
  expect(statSync(workspace.at("g", own)).mode & 0o777).toBe(mode);
  syncNames(workspace.at("g"));
});
