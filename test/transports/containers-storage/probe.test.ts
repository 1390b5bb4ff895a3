import { expect } from "bun:test";

import { containersStorage } from "../../../transports/containers-storage/reference.ts";
import { testWith } from "../../support/needs.ts";
import { descriptorOf, putSample, roleOf } from "../../support/carry.ts";
import { imageOfLayers, madeLayers, storeContext } from "../../support/made-store.ts";
import { blobsOf } from "../../support/sample-images.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const rootTest = testWith("root");
const sample = imageOfLayers(madeLayers("a", "b"));
const other = imageOfLayers(madeLayers("b", "c"));

function referenceTo(text = "x:1") {
  return containersStorage.parseReference(text);
}

async function keep(root: string): Promise<void> {
  await using destination = await referenceTo().openDestination(storeContext(root));
  await putSample(destination, sample);
  await destination.commit();
}

rootTest(
  "the probe of a store says what the destination would say, and changes nothing",
  async () => {
    using workspace = new Workspace();
    await keep(workspace.path);
    const before = treeOf(workspace.path);
    const blobs = [...blobsOf(sample), ...blobsOf(other)];
    const said: unknown[] = [];
    {
      await using probe = await referenceTo("y:1").openProbe?.(storeContext(workspace.path));
      for (const blob of blobs) {
        said.push(await probe?.findBlob(descriptorOf(blob), roleOf(other, blob)));
      }
    }
    expect(treeOf(workspace.path)).toEqual(before);
    await using destination = await referenceTo("y:1").openDestination(
      storeContext(workspace.path),
    );
    const done: unknown[] = [];
    for (const blob of blobs) {
      done.push(await destination.reuseBlob(descriptorOf(blob), roleOf(other, blob)));
    }
    expect(said).toEqual(done);
    expect(said.filter((each) => each !== undefined).length).toBeGreaterThan(2);
  },
);

rootTest("the probe of a store that is not there makes none", async () => {
  using workspace = new Workspace();
  const root = workspace.at("store");
  await using probe = await referenceTo().openProbe?.(storeContext(root));
  const [blob] = blobsOf(sample);
  if (blob === undefined) throw new Error("no blob");
  expect(await probe?.findBlob(descriptorOf(blob), "layer")).toBeUndefined();
  expect(treeOf(workspace.path)).toEqual({});
});
