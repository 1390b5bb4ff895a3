import { describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { containersStorage } from "../../../transports/containers-storage/reference.ts";
import { imageOfLayers, madeLayers, makeStore, storeContext } from "../../support/made-store.ts";
import { rejection } from "../../support/rejection.ts";
import { Workspace } from "../../support/workspace.ts";

const layers = madeLayers("a", "b");
const image = imageOfLayers(layers);
const name = "docker.io/library/x:1";
const id = image.config.digest.slice(7);

function open(root: string, text = "x:1", conf = {}): Promise<ImageSource> {
  return containersStorage.parseReference(text).openSource(storeContext(root, conf));
}

function descriptor(digest: string) {
  return { mediaType: "", digest: parseDigest(digest) };
}

describe("StorageSource", () => {
  test.each(["overlay", "vfs"])("gives layers of %s back as they were", async (driver) => {
    using workspace = new Workspace();
    makeStore(workspace.path, { driver, images: [{ names: [name], layers }] });
    await using source = await open(workspace.path, "x:1", { driver });
    expect((await source.readManifest()).bytes).toEqual(image.manifest.bytes);
    const kept = await source.readLayers?.(parseDigest(image.manifest.digest));
    expect(kept).toEqual({
      image: id,
      layers: layers.map(({ digest, tar }) => ({ digest: parseDigest(digest), size: tar.length })),
    });
    for (const { digest, tar } of layers) {
      const bytes = await collect(await source.openBlob(descriptor(digest)), 10_000);
      expect(Buffer.compare(bytes, tar)).toBe(0);
    }
    const config = await source.openBlob(descriptor(image.config.digest));
    expect(await collect(config, 10_000)).toEqual(Buffer.from(image.config.bytes));
  });

  test.each([
    ["its ID", `@${id}`],
    ["the start of its ID", id.slice(0, 5)],
    ["a name and an ID", `x@${id}`],
    ["a name and the start of an ID", `x@${id.slice(0, 12)}`],
    ["a name and its digest", `x@${image.manifest.digest}`],
  ])("finds an image by %s", async (_, text) => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ names: [name], layers }] });
    await using source = await open(workspace.path, text);
    expect((await source.readManifest()).bytes).toEqual(image.manifest.bytes);
  });

  test.each([
    ["x:2", 'reference "x:2" does not resolve to an image ID: identifier is not an image'],
    ["y@" + id, `no image matching reference "docker.io/library/y:latest@${id}" found`],
    [`@${"0".repeat(64)}`, `reading image "${"0".repeat(64)}": image not known`],
  ])("does not find %s", async (text, message) => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ names: [name], layers }] });
    const failure = await rejection(open(workspace.path, text));
    expect(failure.code).toBe("not-found");
    expect(failure.message).toContain(message.replace('"x:2"', '"docker.io/library/x:2"'));
  });

  test("names the store in the keys of the policy", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ names: [name], layers }] });
    await using source = await open(workspace.path);
    const store = `[overlay@${workspace.path}]`;
    expect(source.name.policyIdentity).toBe(`${store}${name}`);
    expect(source.name.policyNamespaces).toEqual([
      `${store}docker.io/library/x`,
      `${store}docker.io/library`,
      `${store}docker.io`,
      store,
      `[${workspace.path}]`,
    ]);
    expect(source.name.docker).toBe(name);
  });

  test("says which list an image was chosen from, and which image of it there is", async () => {
    using workspace = new Workspace();
    const list = Buffer.from("{}");
    const digest = `sha256:${Bun.CryptoHasher.hash("sha256", list, "hex")}`;
    makeStore(workspace.path, {
      images: [{ names: [name], layers, items: { [`manifest-${digest}`]: list } }],
    });
    await using source = await open(workspace.path, `x@${digest}`);
    expect((await source.readManifest()).bytes).toEqual(list);
    const own = parseDigest(image.manifest.digest);
    expect((await source.readManifest(own)).bytes).toEqual(Buffer.from(image.manifest.bytes));
    const other = parseDigest(`sha256:${"1".repeat(64)}`);
    const failure = await rejection(source.readManifest(other));
    expect(failure).toMatchObject({
      code: "not-found",
      message: expect.stringContaining(`reading manifest for image instance "${other}"`),
    });
  });

  test("cuts signatures apart", async () => {
    using workspace = new Workspace();
    const digest = parseDigest(image.manifest.digest);
    const metadata = JSON.stringify({ "signatures-sizes": { [digest]: [3, 2] } });
    const items = { [`signature-${digest.slice(7)}`]: Buffer.from("abcde") };
    makeStore(workspace.path, { images: [{ names: [name], layers, metadata, items }] });
    await using source = await open(workspace.path);
    const signatures = await source.readSignatures({ digest });
    expect(signatures.map((each) => Buffer.from(each).toString())).toEqual(["abc", "de"]);
  });

  test("finds images in additional stores, and layers of those", async () => {
    using workspace = new Workspace();
    const [other = image] = makeStore(workspace.at("more"), {
      images: [{ names: [name], layers }],
    });
    const options = [`imagestore=${workspace.at("more")}`];
    await using source = await open(workspace.at("none"), "x:1", { options });
    expect((await source.readManifest()).bytes).toEqual(other.manifest.bytes);
    const [layer] = layers;
    const bytes = await collect(await source.openBlob(descriptor(layer?.digest ?? "")), 10_000);
    expect(Buffer.compare(bytes, layer?.tar ?? new Uint8Array())).toBe(0);
  });

  test("finds what engines keep with containers, where images are kept apart", async () => {
    using workspace = new Workspace();
    makeStore(workspace.at("i"), { images: [{ names: [name], layers }] });
    mkdirSync(workspace.at("g/overlay-layers"), { recursive: true });
    for (const { id: layer } of layers) {
      const file = `overlay-layers/${layer}.tar-split.gz`;
      renameSync(workspace.at("i", file), workspace.at("g", file));
    }
    await using source = await open(workspace.at("g"), "x:1", { imageStore: workspace.at("i") });
    for (const { digest, tar } of layers) {
      const bytes = await collect(await source.openBlob(descriptor(digest)), 10_000);
      expect(Buffer.compare(bytes, tar)).toBe(0);
    }
  });

  test("takes the word of an image for layers that are known by their contents only", async () => {
    using workspace = new Workspace();
    const [layer] = layers;
    if (layer === undefined) throw new Error("no layer");
    const flags = { "expected-layer-diffid": layer.digest };
    const layerMembers = { "diff-digest": undefined, "diff-size": undefined, flags };
    const [only] = makeStore(workspace.path, {
      images: [{ names: [name], layers: [layer] }],
      layerMembers,
    });
    await using source = await open(workspace.path);
    const kept = await source.readLayers?.(parseDigest(only?.manifest.digest ?? ""));
    expect(kept?.layers).toEqual([{ digest: parseDigest(layer.digest) }]);
    const bytes = await collect(await source.openBlob(descriptor(layer.digest)), 10_000);
    expect(Buffer.compare(bytes, layer.tar)).toBe(0);
  });

  test("does without layers that are still being written", async () => {
    using workspace = new Workspace();
    const layerMembers = { flags: { incomplete: true } };
    makeStore(workspace.path, { images: [{ names: [name], layers }], layerMembers });
    await using source = await open(workspace.path);
    const failure = await rejection(
      source.readLayers?.(parseDigest(image.manifest.digest)) ?? Promise.resolve(),
    );
    expect(failure).toMatchObject({
      code: "corrupt",
      message: expect.stringContaining("layer not known"),
    });
  });

  test("tells a layer that was changed, and one that was no archive", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ names: [name], layers }] });
    const [first, second] = layers;
    await using source = await open(workspace.path);
    writeFileSync(workspace.at("overlay", first?.id ?? "", "diff/a"), "the content of x");
    const read = async (digest = "") => collect(await source.openBlob(descriptor(digest)), 10_000);
    expect((await rejection(read(first?.digest))).message).toContain(
      'file integrity checksum failed for "a"',
    );
    rmSync(workspace.at("overlay-layers", `${second?.id}.tar-split.gz`));
    expect(await rejection(read(second?.digest))).toMatchObject({ code: "unsupported" });
  });

  test("refuses layers in the format of composefs", async () => {
    using workspace = new Workspace();
    makeStore(workspace.path, { images: [{ names: [name], layers }] });
    const [first] = layers;
    writeFileSync(workspace.at("overlay", first?.id ?? "", "composefs-data"), "");
    await using source = await open(workspace.path);
    const failure = await rejection(source.openBlob(descriptor(first?.digest ?? "")));
    expect(failure).toMatchObject({ code: "unsupported" });
  });
});
