import { describe, expect } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import {
  findMissing,
  installLayers,
} from "../../../transports/containers-storage/install-layers.ts";
import { LayerChain } from "../../../transports/containers-storage/layer-chain.ts";
import { LockedStore } from "../../../transports/containers-storage/locked-store.ts";
import { chosenStore, madeLayers } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { keptLayers, never, StagingScene } from "../../support/staged.ts";
import { transportContext } from "../../support/transport-context.ts";

const rootTest = testWith("root");
const layers = madeLayers("a", "b");
const now = () => new Date("2024-05-06T07:08:09.120Z");

async function readyChain(scene: StagingScene): Promise<LayerChain> {
  const held = [];
  for (const layer of layers) held.push(await scene.staged(layer));
  const chain = new LayerChain(held, { ...scene, signal: never });
  await chain.prepare(new Map());
  return chain;
}

async function install(scene: StagingScene, chain: LayerChain): Promise<"done" | "changed"> {
  await using locked = await LockedStore.lock(chosenStore(scene.place.root), transportContext());
  const found = await findMissing(chain, locked, new Map());
  if (found === undefined) return "changed";
  await installLayers(found, locked, { elsewhere: new Map(), now });
  return "done";
}

describe("installLayers", () => {
  rootTest("makes layers part of a store, on record and on disk", async () => {
    await using scene = await StagingScene.create();
    // What a killed run may have left where a layer belongs.
    mkdirSync(scene.place.filesDirectory(layers[0]?.id ?? ""), { recursive: true });
    expect(await install(scene, await readyChain(scene))).toBe("done");
    const [base, top] = layers;
    const text = readFileSync(scene.workspace.at("overlay-layers/layers.json"), "utf8");
    expect(JSON.parse(text)).toEqual([
      {
        id: base?.id,
        created: "2024-05-06T07:08:09.120Z",
        "compressed-diff-digest": base?.digest,
        "compressed-size": base?.tar.length,
        "diff-digest": base?.digest,
        "diff-size": base?.tar.length,
        uidset: [0],
        gidset: [0],
      },
      expect.objectContaining({ id: top?.id, parent: base?.id }),
    ]);
    for (const link of readdirSync(scene.workspace.at("overlay/l"))) {
      expect(readlinkSync(scene.workspace.at("overlay/l", link))).toMatch(
        /^\.\.\/[0-9a-f]{64}\/diff$/,
      );
    }
    expect(readdirSync(scene.workspace.at("overlay/l"))).toHaveLength(2);
    expect(readFileSync(scene.workspace.at("overlay", top?.id ?? "", "diff/b"), "utf8")).toBe(
      "the content of b",
    );
    const [link] = [readFileSync(scene.workspace.at("overlay", base?.id ?? "", "link"), "utf8")];
    expect(readFileSync(scene.workspace.at("overlay", top?.id ?? "", "lower"), "utf8")).toBe(
      `l/${link}`,
    );
  });

  rootTest("does nothing a second time, and leaves what others have", async () => {
    await using scene = await StagingScene.create();
    const path = scene.workspace.at("overlay-layers/layers.json");
    writeFileSync(path, '[{"id":"other","odd":[1]}]');
    await install(scene, await readyChain(scene));
    const before = readFileSync(path, "utf8");
    expect(await install(scene, await readyChain(scene))).toBe("done");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(JSON.parse(before)[0]).toEqual({ id: "other", odd: [1] });
  });

  rootTest("says so where the store has lost what was counted on", async () => {
    await using scene = await StagingScene.create();
    const chain = new LayerChain(
      [await scene.staged(layers[0] as never), await scene.staged(layers[1] as never)],
      { ...scene, signal: never },
    );
    await install(scene, await readyChain(scene));
    // Prepared when the base was there, and gone since.
    await chain.prepare(keptLayers(scene.place, layers.slice(0, 1)));
    writeFileSync(scene.workspace.at("overlay-layers/layers.json"), "[]");
    expect(await install(scene, chain)).toBe("changed");
    expect(readFileSync(scene.workspace.at("overlay-layers/layers.json"), "utf8")).toBe("[]");
  });
});
