import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { LockedStore } from "../../../transports/containers-storage/locked-store.ts";
import {
  carryOutNotes,
  hasNotes,
  RemovalNote,
} from "../../../transports/containers-storage/removal-note.ts";
import { chosenStore, madeLayers, makeStore } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const rootTest = testWith("root");
const [base, middle, top] = madeLayers("a", "b", "c").map(({ id }) => id);
const all = [top ?? "", middle ?? "", base ?? ""];
const image = "1".repeat(64);

/** A store with the three layers, and with an image only if one is wished that needs some of them. */
function storeWith(workspace: Workspace, needed?: number) {
  const layers = madeLayers("a", "b", "c");
  makeStore(workspace.path, { images: [{ layers }] });
  const record = { id: image, ...(needed !== undefined && { layer: layers[needed]?.id }) };
  writeFileSync(
    workspace.at("overlay-images/images.json"),
    JSON.stringify(needed === undefined ? [] : [record]),
  );
  mkdirSync(workspace.at("overlay-images", image));
  return chosenStore(workspace.path);
}

const lock = (workspace: Workspace) =>
  LockedStore.lock(chosenStore(workspace.path), transportContext());

function layersIn(workspace: Workspace): readonly string[] {
  const text = readFileSync(workspace.at("overlay-layers/layers.json"), "utf8");
  return JSON.parse(text).map(({ id }: { id: string }) => id);
}

const notes = (workspace: Workspace) =>
  readdirSync(workspace.at("overlay-images")).filter((name) => name.startsWith(".dray"));

describe("RemovalNote", () => {
  rootTest("takes away what it says where the image is not on record", async () => {
    using workspace = new Workspace();
    storeWith(workspace);
    {
      await using locked = await lock(workspace);
      await using _ = new RemovalNote({ image, layers: all.slice(0, 2) }, locked);
      expect(notes(workspace)).toHaveLength(1);
      expect(hasNotes(locked.place)).toBe(true);
    }
    // The one below may be somebody's who is at work.
    expect(layersIn(workspace)).toEqual([base ?? ""]);
    expect(existsSync(workspace.at("overlay", top ?? ""))).toBe(false);
    expect(existsSync(workspace.at("overlay-images", image))).toBe(false);
    expect(notes(workspace)).toEqual([]);
  });

  rootTest("takes nothing that an image on record has", async () => {
    for (const [needed, left] of [
      [2, 3],
      [1, 2],
      [0, 1],
    ] as const) {
      using workspace = new Workspace();
      storeWith(workspace, needed);
      {
        await using locked = await lock(workspace);
        await using _ = new RemovalNote({ image, layers: all }, locked);
      }
      expect(layersIn(workspace)).toHaveLength(left);
      expect(existsSync(workspace.at("overlay-images", image))).toBe(true);
      expect(notes(workspace)).toEqual([]);
    }
  });
});

describe("carryOutNotes", () => {
  rootTest("goes on with what another run has written down", async () => {
    using workspace = new Workspace();
    storeWith(workspace);
    {
      await using locked = await lock(workspace);
      // Its run was killed: nobody disposes of it.
      new RemovalNote({ image, layers: all }, locked);
    }
    await using locked = await lock(workspace);
    await carryOutNotes(locked);
    expect(layersIn(workspace)).toEqual([]);
    expect(hasNotes(locked.place)).toBe(false);
  });

  rootTest("drops what is no note, and follows none out of the store", async () => {
    using workspace = new Workspace();
    storeWith(workspace);
    mkdirSync(workspace.at("victim"));
    const texts = [
      "",
      "{",
      "[1]",
      '[{"id":"../victim","mapped-layers":["../../victim"]}]',
      '[{"id":"","mapped-layers":[""]}]',
      '[{"mapped-layers":7}]',
    ];
    for (const [index, text] of texts.entries()) {
      writeFileSync(workspace.at(`overlay-images/.dray-removal-${index}`), text);
    }
    await using locked = await lock(workspace);
    await carryOutNotes(locked);
    expect(hasNotes(locked.place)).toBe(false);
    expect(layersIn(workspace)).toHaveLength(3);
    expect(existsSync(workspace.at("victim"))).toBe(true);
    expect(existsSync(workspace.at("overlay-images", image))).toBe(true);
  });
});
