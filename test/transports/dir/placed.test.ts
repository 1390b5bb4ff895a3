import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";

import { digestOf } from "../../../core/content/digest.ts";
import { linkPlaced } from "../../../transports/dir/placed.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { putSample } from "../../support/carry.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const bytes = new TextEncoder().encode("a layer");
const blob = { mediaType: "x/y", digest: digestOf(bytes), size: bytes.length };

describe("linkPlaced", () => {
  test("makes the file one with the first that is there", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("b"), bytes);
    const placed = new Map([[blob.digest, [workspace.at("a"), workspace.at("b")]]]);
    expect(linkPlaced(blob, workspace.at("c"), placed)).toBe(bytes.length);
    expect(statSync(workspace.at("c")).ino).toBe(statSync(workspace.at("b")).ino);
  });

  test("knows nothing of other blobs, and of files of another size", () => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("b"), "short");
    const placed = new Map([[blob.digest, [workspace.at("b")]]]);
    expect(linkPlaced(blob, workspace.at("c"), placed)).toBeUndefined();
    expect(linkPlaced(blob, workspace.at("c"), new Map())).toBeUndefined();
  });
});

test("images in directories share the files of their layers, and stay whole by themselves", async () => {
  using workspace = new Workspace();
  const context = transportContext({ settings: { dir: { placed: new Map() } } });
  const image = sampleImage();
  const layer = image.layers[0] ?? image.config;
  const wanted = {
    mediaType: layer.mediaType,
    digest: digestOf(layer.bytes),
    size: layer.bytes.length,
  };
  const put = async (name: string, reuses: boolean) => {
    await using writer = await dir.parseReference(workspace.at(name)).openDestination(context);
    const reused = await writer.reuseBlob(wanted, "layer");
    expect(reused !== undefined).toBe(reuses);
    if (!reuses) await putSample(writer, image);
    else await putSample(writer, { ...image, layers: image.layers.slice(1) });
    await writer.commit();
  };
  await put("one", false);
  await put("two", true);
  const file = layer.digest.slice(7);
  expect(statSync(workspace.at("one", file)).nlink).toBe(2);
  // An image that takes the place of the one leaves the other as it is.
  await using writer = await dir.parseReference(workspace.at("one")).openDestination(context);
  await putSample(writer, sampleImage({ seed: "another" }));
  await writer.commit();
  expect(readFileSync(workspace.at("two", file))).toEqual(Buffer.from(layer.bytes));
});
