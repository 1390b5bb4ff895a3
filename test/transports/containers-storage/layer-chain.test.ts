import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { parseDigest } from "../../../core/content/digest.ts";
import { LayerChain } from "../../../transports/containers-storage/layer-chain.ts";
import { madeLayers, makeStore as fillStore } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { heldInStore, keptLayers, never, StagingScene } from "../../support/staged.ts";

const rootTest = testWith("root");
const layers = madeLayers("a", "b");
const ids = layers.map(({ id }) => id);

describe("LayerChain", () => {
  rootTest("makes ready what a store lacks, base first", async () => {
    await using scene = await StagingScene.create();
    const held = [];
    for (const layer of layers) held.push(await scene.staged(layer));
    const chain = new LayerChain(held, { ...scene, signal: never });
    expect(chain.ids).toEqual(ids);
    expect(chain.missingFrom(new Set())).toBeUndefined();
    await chain.prepare(new Map());
    const ready = chain.missingFrom(new Set()) ?? [];
    expect(ready.map(({ id, parent }) => [id, parent])).toEqual([
      [ids[0], undefined],
      [ids[1], ids[0]],
    ] as never);
    expect(ready[1]?.form?.lower).toBe(`l/${ready[0]?.form?.link}`);
    expect(chain.missingFrom(new Set([ids[0] ?? ""]))).toEqual(ready.slice(1));
    expect(chain.missingFrom(new Set(ids))).toEqual([]);
  });

  rootTest("rebuilds a layer that is there above other layers, or twice in one image", async () => {
    await using scene = await StagingScene.create();
    fillStore(scene.workspace.path, { images: [{ layers }] });
    const kept = keptLayers(scene.place, layers);
    const [, top] = ids;
    const [, second] = layers;
    const layer = kept.get(top ?? "");
    if (layer === undefined || second === undefined) throw new Error("no layer");
    const held = heldInStore(layer, parseDigest(second.digest));
    const chain = new LayerChain([held, held], { ...scene, signal: never });
    await chain.prepare(kept);
    const ready = chain.missingFrom(new Set(kept.keys())) ?? [];
    expect(ready).toHaveLength(2);
    for (const { staged } of ready) {
      expect(readFileSync(`${staged.files}/b`, "utf8")).toBe("the content of b");
      expect(staged.written.diffId).toBe(parseDigest(second.digest));
    }
  });

  rootTest("asks for a layer again that is gone", async () => {
    await using scene = await StagingScene.create();
    const kept = keptLayers(scene.place, layers);
    const layer = kept.get(ids[0] ?? "");
    const [first] = layers;
    if (layer === undefined || first === undefined) throw new Error("no layer");
    const digest = parseDigest(first.digest);
    const chain = new LayerChain([heldInStore(layer, digest)], { ...scene, signal: never });
    const failure = await rejection(chain.prepare(new Map()));
    expect(failure).toMatchObject({ code: "io", missingBlobs: [digest] });
  });

  rootTest("makes layers of vfs out of those below them", async () => {
    await using scene = await StagingScene.create("vfs");
    const held = layers.map(({ tar, digest }) => {
      const diffId = parseDigest(digest);
      const blob = { digest: diffId, size: tar.length, compression: "none" } as const;
      const open = async function* () {
        yield tar;
      };
      return { kind: "packed", diffId, blob, open } as const;
    });
    const chain = new LayerChain(held, { ...scene, signal: never });
    await chain.prepare(new Map());
    const [, top] = chain.missingFrom(new Set()) ?? [];
    expect(readFileSync(`${top?.staged.files}/a`, "utf8")).toBe("the content of a");
    const [lie] = held;
    const wrong = { ...lie, diffId: held[1]?.diffId ?? lie?.diffId } as typeof lie;
    if (wrong === undefined) throw new Error("no layer");
    const other = new LayerChain([wrong], { ...scene, signal: never });
    expect((await rejection(other.prepare(new Map()))).message).toContain(
      "was unpacked to something",
    );
  });
});
