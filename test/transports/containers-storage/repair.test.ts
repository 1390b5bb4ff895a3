import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { LockedStore } from "../../../transports/containers-storage/locked-store.ts";
import { hasNotes, RemovalNote } from "../../../transports/containers-storage/removal-note.ts";
import { repairStore, stagingParents } from "../../../transports/containers-storage/repair.ts";
import { StagingDirectory } from "../../../transports/containers-storage/staging-directory.ts";
import { StorePlace } from "../../../transports/containers-storage/store-place.ts";
import { temporaryPath } from "../../../transports/shared/temporary.ts";
import { chosenStore, madeLayers, makeStore } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

describe("repairStore", () => {
  test("makes nothing where there is no store", async () => {
    using workspace = new Workspace();
    await repairStore(chosenStore(workspace.at("none")), transportContext());
    expect(treeOf(workspace.path)).toEqual({});
  });

  testWith("root")("removes what was staged, and goes on with notes", async () => {
    using workspace = new Workspace();
    const layers = madeLayers("a");
    makeStore(workspace.path, { images: [{ layers }] });
    writeFileSync(workspace.at("overlay-images/images.json"), "[]");
    const store = chosenStore(workspace.path);
    const place = new StorePlace(workspace.path, "overlay");
    for (const parent of stagingParents(place)) {
      mkdirSync(`${parent}/temp-dir-x/1`, { recursive: true });
      writeFileSync(`${parent}/lock-x`, "");
    }
    {
      await using locked = await LockedStore.lock(store, transportContext());
      new RemovalNote({ image: "1".repeat(64), layers: layers.map(({ id }) => id) }, locked);
    }
    for (const kind of ["images", "layers"]) {
      writeFileSync(workspace.at(`overlay-${kind}`, basename(temporaryPath(""))), "[");
    }
    await using atWork = await StagingDirectory.create(stagingParents(place)[0]);
    await repairStore(store, transportContext());
    expect(hasNotes(place)).toBe(false);
    for (const kind of ["images", "layers"]) {
      expect(readdirSync(workspace.at(`overlay-${kind}`)).join()).not.toContain(".dray");
    }
    expect(readdirSync(stagingParents(place)[1])).toEqual([]);
    // Somebody is at work there.
    expect(readdirSync(stagingParents(place)[0])).toHaveLength(2);
    expect(readdirSync(workspace.at("overlay"))).toEqual(["tempdirs"]);
    expect(atWork.path).toContain("temp-dir-");
  });
});
