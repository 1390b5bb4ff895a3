import { describe, expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { streamOf } from "../../../core/blob/stream.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { stageBlob, stageContent } from "../../../transports/containers-storage/staged-layer.ts";
import { madeLayers } from "../../support/made-store.ts";
import { testWith } from "../../support/needs.ts";
import { openEndedBlob, outgoingBlob } from "../../support/outgoing.ts";
import { rejection } from "../../support/rejection.ts";
import { never, StagingScene } from "../../support/staged.ts";

const rootTest = testWith("root");
const [layer] = madeLayers("a");
if (layer === undefined) throw new Error("no layer");

describe("staging a layer", () => {
  rootTest("unpacks a blob, and knows both of its digests", async () => {
    await using scene = await StagingScene.create();
    const compressed = gzipSync(layer.tar);
    for (const blob of [await outgoingBlob(compressed), await openEndedBlob(compressed)]) {
      const staged = await stageBlob(blob, scene.plan, never);
      expect(staged.blob).toEqual({
        digest: digestOf(compressed),
        size: compressed.length,
        compression: "gzip",
      });
      expect(staged.written).toMatchObject({
        diffId: layer.digest,
        uncompressedBytes: layer.tar.length,
      });
      expect(readFileSync(`${staged.files}/a`, "utf8")).toBe("the content of a");
    }
  });

  rootTest("leaves nothing of a blob whose bytes are wrong, however late that shows", async () => {
    await using scene = await StagingScene.create();
    const wrong = await outgoingBlob(layer.tar, () => streamOf(layer.tar, new Uint8Array(512)));
    expect(await rejection(stageBlob(wrong, scene.plan, never))).toMatchObject({ code: "corrupt" });
    const compressed = gzipSync(layer.tar);
    const cut = await outgoingBlob(compressed.subarray(0, -9));
    expect(await rejection(stageBlob(cut, scene.plan, never))).toMatchObject({ code: "corrupt" });
    for (const directory of [scene.plan.files, scene.plan.records]) {
      expect(readdirSync(directory.path)).toEqual([]);
    }
  });

  rootTest("begins with the files of the layer below, where a driver wants that", async () => {
    await using scene = await StagingScene.create("vfs");
    const [base, above] = madeLayers("a", "b");
    if (base === undefined || above === undefined) throw new Error("no layers");
    const below = await stageContent(streamOf(base.tar), scene.plan, never);
    const plan = { ...scene.plan, base: below.files };
    const { files } = await stageContent(streamOf(above.tar), plan, never);
    expect(readdirSync(files).toSorted()).toEqual(["a", "b"]);
    expect(readdirSync(below.files)).toEqual(["a"]);
  });
});
