import { expect, test } from "bun:test";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { parseDigest } from "../../../core/content/digest.ts";
import { branchOf, parseOstreeName } from "../../../transports/ostree/name.ts";
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

test("a blob whose branch or commit a crash has spoilt is not there, and is written anew", async () => {
  using workspace = new Workspace();
  const name = ostree.parseReference(`a:1@${emptyRepository(workspace)}`);
  const context = transportContext();
  const image = sampleImage({ layers: ["gzip"], odd: false });
  const [layer] = image.layers;
  if (layer === undefined) throw new Error("the sample has no layer");
  const put = async () => {
    await using destination = await name.openDestination(context);
    const found = await destination.reuseBlob(descriptorOf(layer), "layer");
    await putSample(destination, image);
    await destination.commit();
    return found;
  };
  expect(await put()).toBeUndefined();
  const branch = workspace.at("repo/refs/heads", branchOf(layer.digest.slice("sha256:".length)));
  const commit = readFileSync(branch, "utf8").trim();
  const object = workspace.at("repo/objects", commit.slice(0, 2), `${commit.slice(2)}.commit`);
  for (const spoil of [
    () => truncateSync(branch),
    () => writeFileSync(object, "something else"),
    () => rmSync(object),
  ]) {
    writeFileSync(branch, commit);
    spoil();
    expect(await put()).toBeUndefined();
    await using source = await name.openSource(context);
    expect((await source.readLayers?.(parseDigest(image.manifest.digest)))?.layers).toHaveLength(1);
  }
});
