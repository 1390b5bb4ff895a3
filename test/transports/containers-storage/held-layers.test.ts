import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { BlobFact, BlobInfo } from "../../../core/cache/blob-info.ts";
import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { HeldLayers } from "../../../transports/containers-storage/held-layers.ts";
import { layerRecord } from "../../../transports/containers-storage/records.ts";
import { failureOf } from "../../support/failure-of.ts";
import { madeLayers, storeContext } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { outgoingBlob } from "../../support/outgoing.ts";
import { keptLayers, never, StagingScene } from "../../support/staged.ts";
import { transportContext } from "../../support/transport-context.ts";

const rootTest = testWith("root");
const [layer] = madeLayers("a");
if (layer === undefined) throw new Error("no layer");
const diffId = parseDigest(layer.digest);
const compressed = gzipSync(layer.tar);
const blob = { mediaType: "", digest: digestOf(compressed), size: compressed.length };

function contextWith(blobInfo: BlobInfo) {
  const { settings, ...rest } = storeContext("/none");
  const { containersStorage } = settings;
  if (containersStorage === undefined) throw new Error("no settings");
  return transportContext({
    ...rest,
    settings: { ...settings, containersStorage: { ...containersStorage, blobInfo } },
  });
}

const nothingKnown: BlobInfo = { note() {}, candidates: async () => [] };

describe("HeldLayers", () => {
  for (const driver of ["overlay", "vfs"] as const) {
    rootTest(`takes blobs for ${driver}, and tells what it has seen of them`, async () => {
      await using scene = await StagingScene.create(driver);
      const facts: BlobFact[] = [];
      const context = contextWith({ ...nothingKnown, note: (fact) => void facts.push(fact) });
      const held = new HeldLayers({ layers: new Map(), plan: scene.plan, context });
      expect(await held.put(await outgoingBlob(compressed), never)).toEqual({
        digest: blob.digest,
        size: blob.size,
        by: "sending",
      });
      expect(held.layer(blob.digest)).toMatchObject({ diffId });
      expect(facts).toEqual([
        { kind: "content", digest: blob.digest, uncompressed: diffId },
        { kind: "compression", digest: blob.digest, compression: "gzip" },
      ]);
    });
  }

  test("finds a layer by its digest, and by what others have seen of a blob", async () => {
    await using scene = await StagingScene.create();
    const layers = keptLayers(scene.place, [layer]);
    const known: BlobInfo = {
      note() {},
      candidates: async ({ digest }) =>
        digest === blob.digest
          ? [{ digest: diffId, standIn: { compression: "none", uncompressed: diffId } }]
          : [],
    };
    const held = new HeldLayers({ layers, plan: scene.plan, context: contextWith(known) });
    const own = { mediaType: "", digest: diffId, size: layer.tar.length };
    expect(await held.reuse(own)).toEqual({ digest: diffId, size: own.size, by: "presence" });
    expect(await held.reuse(blob)).toEqual({
      digest: blob.digest,
      size: blob.size,
      by: "presence",
    });
    expect(held.layer(blob.digest)).toMatchObject({ kind: "kept", diffId });
    const other = { ...blob, digest: digestOf(Buffer.from("other")) };
    expect(await held.reuse(other)).toBeUndefined();
    expect(failureOf(() => held.layer(other.digest))).toMatchObject({ code: "bug" });
  });

  test("takes no layer whose content nobody has checked", async () => {
    await using scene = await StagingScene.create();
    const record = layerRecord({ id: "a", "compressed-diff-digest": blob.digest });
    const layers = new Map([["a", { place: scene.place, record }]]);
    const held = new HeldLayers({ layers, plan: scene.plan, context: contextWith(nothingKnown) });
    expect(await held.reuse(blob)).toBeUndefined();
  });
});
