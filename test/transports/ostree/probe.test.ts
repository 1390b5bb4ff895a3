import { expect, test } from "bun:test";
import { parseDigest } from "../../../core/content/digest.ts";
import { parseOstreeName } from "../../../transports/ostree/name.ts";
import { openProbe } from "../../../transports/ostree/probe.ts";
import { ostree } from "../../../transports/ostree/reference.ts";
import { descriptorOf, putSample } from "../../support/carry.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

test("a probe of ostree finds blobs, and changes nothing", async () => {
  using workspace = new Workspace();
  const text = `a:1@${emptyRepository(workspace)}`;
  const context = transportContext();
  const image = sampleImage({ layers: ["gzip"], odd: false });
  const [layer] = image.layers;
  if (layer === undefined) throw new Error("the sample has no layer");
  {
    await using destination = await ostree.parseReference(text).openDestination(context);
    await putSample(destination, image);
  }
  const before = treeOf(workspace.path);
  await using probe = await openProbe(parseOstreeName(text), context);
  const digest = parseDigest(layer.digest);
  expect(await probe.findBlob(descriptorOf(layer), "layer")).toEqual({
    digest,
    size: layer.bytes.length,
    by: "presence",
  });
  expect(await probe.findBlob({ ...descriptorOf(layer), size: 1 }, "layer")).toBeUndefined();
  expect(await probe.findBlob(descriptorOf(image.config), "config")).toBeDefined();
  expect(await probe.findBlob(descriptorOf(image.config), "layer")).toBeUndefined();
  expect(treeOf(workspace.path)).toEqual(before);
});
