import { describe, expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { imageOf, mediaTypes, type SampleImage, sampleConfig } from "../support/sample-images.ts";
import { fileTreeOf } from "../support/file-tree.ts";
import { LayerStore } from "../support/layer-store.ts";
import { testWith } from "../support/needs.ts";
import { type Fate, oddLayers } from "../support/odd-layers.ts";
import { unpack } from "../support/unpack.ts";
import { Workspace } from "../support/workspace.ts";

/** An image of one layer, uncompressed. */
function imageWith(tar: Uint8Array): SampleImage {
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", tar, "hex")}`;
  const layer = { mediaType: mediaTypes.oci.none, bytes: tar, digest };
  return imageOf("oci", sampleConfig("oci", [digest]), [layer], [digest]);
}

describe.each(["overlay", "vfs"] as const)("layers in a store, by %s", (driver) => {
  for (const { name, tar, fate, ours = fate } of oddLayers) {
    const expected = (driver === "vfs" ? fate[1] : undefined) ?? fate[0];
    const own = (driver === "vfs" ? ours[1] : undefined) ?? ours[0];
    testWith("root", "skopeo")(`with ${name} are ${own}`, async () => {
      using workspace = new Workspace();
      const startNs = BigInt(Date.now() - 1000) * 1_000_000n;
      const store = new LayerStore(workspace, driver);
      const added = await store.add("x", imageWith(tar));
      const [layer] = added.code === 0 ? store.layers() : [];
      // Its own mode is given by whoever makes the directory, and to read files is to change their times.
      const treeBelow = (path: string) => ({ ...fileTreeOf(path, startNs), "": "" });
      const theirTree = layer === undefined ? undefined : treeBelow(store.files(layer.id));
      const theirs = await fateOf(store, workspace, added.code);
      expect([theirs, theirs === expected ? "" : added.stderr]).toEqual([expected, ""]);

      const unpacking = unpack(workspace, tar, { whiteouts: driver, rootless: false });
      if (own === "refused") return await expect(unpacking).rejects.toThrow();
      const { written, files, rebuild } = await unpacking;
      if (own === "lost") return await expect(rebuild()).rejects.toThrow();
      const ourTree = treeBelow(files);
      expect(Buffer.compare(await rebuild(), tar)).toBe(0);
      expect<string | undefined>(written.diffId).toBe(imageWith(tar).diffIds[0]);
      if (layer === undefined) return;
      expect([written.uids, written.gids]).toEqual([layer.uidset ?? [], layer.gidset ?? []]);
      expect<unknown>(ourTree).toEqual(theirTree);
    });
  }
});

/** What has become of the only image of a store. */
async function fateOf(store: LayerStore, workspace: Workspace, code: number): Promise<Fate> {
  if (code !== 0) return "refused";
  mkdirSync(workspace.at("out"));
  const taken = await store.take("x", `dir:${workspace.at("out")}`);
  return taken.code === 0 ? "kept" : "lost";
}
