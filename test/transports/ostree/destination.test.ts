import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { type Digest, parseDigest } from "../../../core/content/digest.ts";
import { ostree } from "../../../transports/ostree/reference.ts";
import { admitted, descriptorOf, putSample } from "../../support/carry.ts";
import { emptyRepository } from "../../support/ostree-repository.ts";
import { rejection } from "../../support/rejection.ts";
import {
  imageOf,
  mediaTypes,
  sampleConfig,
  sampleImage,
  type SampleImage,
} from "../../support/sample-images.ts";
import { tarOf } from "../../support/tar-bytes.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const context = transportContext();
const image = sampleImage({ layers: ["gzip", "none"], odd: false });
const [layer] = image.layers;
if (layer === undefined) throw new Error("the sample has no layer");

function nameIn(workspace: Workspace, mode = "archive") {
  return ostree.parseReference(`some/image:1@${emptyRepository(workspace, mode)}`);
}

const branches = (workspace: Workspace) =>
  readdirSync(workspace.at("repo/refs/heads"), { recursive: true }).length;

describe("ostree", () => {
  test("gives back what was put, unpacked", async () => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    {
      await using destination = await name.openDestination(context);
      const signatures = [new TextEncoder().encode("one"), new TextEncoder().encode("two")];
      await putSample(destination, image);
      const digest = parseDigest(image.manifest.digest);
      await destination.putSignatures(signatures, { digest });
      await destination.commit();
    }
    await using source = await name.openSource(context);
    const { bytes } = await source.readManifest();
    expect(Buffer.compare(bytes, image.manifest.bytes)).toBe(0);
    const digest = parseDigest(image.manifest.digest);
    const signatures = await source.readSignatures({ digest });
    expect(signatures.map((each) => new TextDecoder().decode(each))).toEqual(["one", "two"]);
    const kept = await source.readLayers?.(digest);
    expect<readonly string[] | undefined>(kept?.layers.map((each) => each.digest)).toEqual(
      image.diffIds,
    );
    for (const each of kept?.layers ?? []) {
      const content = await collect(
        await source.openBlob({ mediaType: "", ...each }),
        each.size ?? 0,
      );
      expect(content.length).toBe(each.size ?? 0);
      expect<string>(`sha256:${Bun.CryptoHasher.hash("sha256", content, "hex")}`).toBe(each.digest);
    }
    const config = await source.openBlob(descriptorOf(image.config));
    expect(Buffer.compare(await collect(config, 100_000), image.config.bytes)).toBe(0);
  });

  test("C2: wrong bytes publish nothing, and may be put again", async () => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    const { image: carried, memory } = await admitted(image);
    const digest = parseDigest(layer.digest);
    memory.blobs.set(digest, layer.bytes.subarray(0, 500));
    await using destination = await name.openDestination(context);
    const put = () => destination.putBlob(carried.blob(descriptorOf(layer)), "layer");
    expect(await rejection(put())).toMatchObject({ code: "corrupt" });
    expect(branches(workspace)).toBe(0);
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
    expect(await destination.reuseBlob(descriptorOf(layer), "layer")).toBeUndefined();
    memory.blobs.set(digest, layer.bytes);
    expect<unknown>(await put()).toEqual({ digest, size: layer.bytes.length, by: "sending" });
    expect<unknown>(await destination.reuseBlob(descriptorOf(layer), "layer")).toEqual({
      digest,
      size: layer.bytes.length,
      by: "presence",
    });
    expect(await destination.reuseBlob(descriptorOf(layer), "config")).toBeUndefined();
  });

  test("leaves no name without commit", async () => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    {
      await using destination = await name.openDestination(context);
      await putSample(destination, image);
    }
    expect(await rejection(name.openSource(context))).toMatchObject({ code: "not-found" });
  });

  test("takes an image that replaces another", async () => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    const other = sampleImage({ seed: "other", layers: ["none"], odd: false });
    for (const each of [image, other]) {
      await using destination = await name.openDestination(context);
      await putSample(destination, each);
      await destination.commit();
    }
    await using source = await name.openSource(context);
    const { bytes } = await source.readManifest();
    expect(Buffer.compare(bytes, other.manifest.bytes)).toBe(0);
  });

  test.each<readonly [string, Uint8Array, object]>([
    ["a name that is no text", tarOf([{ path: Buffer.from([0xff]) }]), { code: "unsupported" }],
    ["a path twice", tarOf([{ path: "a" }, { path: "a" }]), { code: "unsupported" }],
    ["a file outside", tarOf([{ path: "../a" }]), { code: "corrupt" }],
    ["no archive at all", new Uint8Array(2000).fill(7), { code: "corrupt" }],
  ])("refuses a layer with %s", async (_, tar, expected) => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    await using destination = await name.openDestination(context);
    const put = putSample(destination, withLayer(tar));
    expect(await rejection(put)).toMatchObject(expected);
    expect(readdirSync(workspace.at("repo/tmp"))).toEqual([]);
  });

  test("has no lists, and says so", async () => {
    using workspace = new Workspace();
    const name = nameIn(workspace);
    await using destination = await name.openDestination(context);
    expect(destination.traits).toMatchObject({
      holdsLists: false,
      manifestTypes: [mediaTypes.docker.manifest],
    });
    const probe = await name.openProbe?.(context);
    expect(probe?.traits).toEqual(destination.traits);
  });
});

function withLayer(tar: Uint8Array): SampleImage {
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", tar, "hex")}` as Digest;
  const only = { mediaType: mediaTypes.docker.none, bytes: tar, digest };
  return imageOf("docker", sampleConfig("docker", [digest]), [only], [digest]);
}
