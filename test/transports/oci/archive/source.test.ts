// Reading archives of layouts, made by others and not always well.

import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { collect } from "../../../../core/blob/collect.ts";
import { parseDigest } from "../../../../core/content/digest.ts";
import { Failure } from "../../../../core/failure.ts";
import type { ImageSource } from "../../../../core/image/source.ts";
import { ociArchive } from "../../../../transports/oci/archive/reference.ts";
import { descriptorOf } from "../../../support/carry.ts";
import { blobPath, layoutEntries } from "../../../support/layout-tar.ts";
import { rejection } from "../../../support/rejection.ts";
import { sampleImage, sampleList } from "../../../support/sample-images.ts";
import { type TarEntry, tarOf } from "../../../support/tar-bytes.ts";
import { transportContext } from "../../../support/transport-context.ts";
import { treeOf } from "../../../support/trees.ts";
import { Workspace } from "../../../support/workspace.ts";
import { someManifest } from "../../../support/some-manifest.ts";

const image = sampleImage({ format: "oci", ballastBytes: 100 });
const list = sampleList({ ballastBytes: 100 });
const whole = layoutEntries({ image, list });
const [layer = image.config] = image.layers;
const layerPath = blobPath(layer.digest);

/** A directory with an archive, and a place for temporary files. */
function made(entries: readonly TarEntry[] | Uint8Array): Workspace {
  const workspace = new Workspace();
  const bytes = entries instanceof Uint8Array ? entries : tarOf(entries);
  mkdirSync(workspace.at("inside"));
  mkdirSync(workspace.at("temporary"));
  writeFileSync(workspace.at("inside", "archive.tar"), bytes);
  return workspace;
}

function open(workspace: Workspace, wanted: string): Promise<ImageSource> {
  const reference = ociArchive.parseReference(`${workspace.at("inside/archive.tar")}:${wanted}`);
  return reference.openSource(transportContext({ temporaryDirectory: workspace.at("temporary") }));
}

async function readAll(workspace: Workspace, wanted = "image"): Promise<void> {
  await using source = await open(workspace, wanted);
  const { bytes, mediaType } = await source.readManifest();
  expect(Buffer.compare(bytes, image.manifest.bytes)).toBe(0);
  expect(mediaType).toBe(image.manifest.mediaType);
  for (const blob of [image.config, ...image.layers]) {
    const read = await collect(await source.openBlob(descriptorOf(blob)), Infinity);
    expect(Buffer.compare(read, blob.bytes)).toBe(0);
  }
}

/** Returns the entries with something else in place of one of them. */
function replaced(path: string, ...others: readonly TarEntry[]): readonly TarEntry[] {
  return whole.flatMap((entry) => (entry.path === path ? others : [entry]));
}

const body = layer.bytes;
const link = (path: string, target: string): TarEntry => ({ path, kind: "symlink", target });
const hardLink = (path: string, target: string): TarEntry => ({ path, kind: "hardLink", target });

describe("the source of oci-archive", () => {
  test.each<[string, readonly TarEntry[] | Uint8Array]>([
    ["as everybody writes it", whole],
    [
      "with names that begin with ./",
      whole.map((each) => ({ ...each, path: `./${String(each.path)}` })),
    ],
    [
      "with names that begin with /",
      whole.map((each) => ({ ...each, path: `/${String(each.path)}` })),
    ],
    ["with the index first", whole.toReversed()],
    ["without directories", whole.filter(({ kind }) => kind !== "directory")],
    [
      "with a manifest.json for docker load",
      [...whole, { path: "manifest.json", body: Buffer.from("[]") }],
    ],
    ["compressed with gzip", Bun.gzipSync(Buffer.from(tarOf(whole)))],
    ["compressed with zstd", Bun.zstdCompressSync(Buffer.from(tarOf(whole)))],
    [
      "F1: with files that would land elsewhere",
      [
        { path: "../outside", body },
        { path: "/etc/outside", body },
        { path: "blobs/../../outside", body },
        link("inside", "/etc"),
        { path: "inside/outside", body },
        { path: "device", kind: "blockDevice", device: [8, 0] },
        { path: "pipe", kind: "fifo" },
        hardLink("passwd", "/etc/passwd"),
        ...whole,
      ],
    ],
    [
      "F2: with a layer behind links",
      replaced(layerPath, link(layerPath, "../../real"), { path: "real", body }),
    ],
    [
      "F2: with a layer that is a hard link",
      [{ path: "real", body }, ...replaced(layerPath, hardLink(layerPath, "real"))],
    ],
    ["F3: with two of what nobody needs", [...whole, { path: "note" }, { path: "note" }]],
  ])("reads an archive %s, and writes nothing", async (_, entries) => {
    using workspace = made(entries);
    const before = treeOf(workspace.path);
    await readAll(workspace);
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test("reads a list and its images", async () => {
    using workspace = made(whole);
    await using source = await open(workspace, "list");
    expect(source.concurrent).toBe(true);
    for (const { manifest } of list.images) {
      const { bytes } = await source.readManifest(parseDigest(manifest.digest));
      expect(Buffer.compare(bytes, manifest.bytes)).toBe(0);
    }
    expect(await source.readSignatures(someManifest)).toEqual([]);
  });

  const component = (path: string) => `Error reading tar archive component "${path}": `;
  const there = `${component(layerPath)}is there more than once`;
  const away = `${component(layerPath)}leads to what is not in the archive`;
  test.each<[string, readonly TarEntry[] | Uint8Array, string | RegExp]>([
    [
      "F3: two indexes",
      [...whole, { path: "index.json", body: Buffer.from("{}") }],
      `${component("index.json")}is there more than once`,
    ],
    [
      "F3: two layers of a name",
      [...whole, { path: layerPath, body: Buffer.from("other") }],
      there,
    ],
    [
      "F3: two layers, one spelled differently",
      [...whole, { path: `./x/../${layerPath}`, body }],
      there,
    ],
    ["F2: a layer that leads out", replaced(layerPath, link(layerPath, "../../../outside")), away],
    [
      "F2: a layer that leads to /etc/passwd",
      replaced(layerPath, link(layerPath, "/etc/passwd")),
      away,
    ],
    [
      "F2: a hard link that leads out",
      replaced(layerPath, hardLink(layerPath, "../outside")),
      away,
    ],
    [
      "F2: a layer that leads to itself",
      replaced(layerPath, link(layerPath, layerPath.slice(13))),
      `${component(layerPath)}is behind more than 10 links`,
    ],
    [
      "a layer that is a device",
      replaced(layerPath, { path: layerPath, kind: "characterDevice", device: [1, 5] }),
      `${component(layerPath)}not a regular file`,
    ],
    [
      "F1: an index outside",
      whole.map((each) => (each.path === "index.json" ? { ...each, path: "../index.json" } : each)),
      /There is no index.json in it$/,
    ],
    [
      "no such layer",
      replaced(layerPath),
      /^There is no blobs\/sha256\/[0-9a-f]{64} in archive .*archive.tar$/,
    ],
    ["P5: an archive that is cut off", tarOf(whole).subarray(0, 3000), /Tar archive is cut off/],
    [
      "P5: an archive with something behind it",
      Buffer.concat([tarOf(whole), Buffer.from("x")]),
      /Tar archive is followed by something else$/,
    ],
    [
      "P5: two sizes of a layer",
      replaced(layerPath, { path: layerPath, body, pax: { size: "1" } }),
      /has two sizes, \d+ and 1 bytes$/,
    ],
    ["what is no archive", Buffer.alloc(5000, "x"), /Not a tar archive|Tar header has an invalid/],
  ])("refuses %s, and writes nothing", async (_, entries, message) => {
    using workspace = made(entries);
    const before = treeOf(workspace.path);
    const failure = await rejection(readAll(workspace));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.code).toBe("corrupt");
    if (typeof message === "string") expect(failure.message).toEndWith(message);
    else expect(failure.message).toMatch(message);
    expect(treeOf(workspace.path)).toEqual(before);
  });

  test.each([
    ["nothing", "not-found", 'no descriptor found for reference "nothing"'],
    ["", "refused", "more than one image in oci, choose an image"],
  ])("fails on no image %p in the words of oci", async (wanted, code, message) => {
    using workspace = made(whole);
    expect(await rejection(open(workspace, wanted))).toMatchObject({ code, message });
  });

  test("a missing archive is no missing image", async () => {
    using workspace = new Workspace();
    const reference = ociArchive.parseReference(`${workspace.at("no.tar")}:a`);
    expect(await rejection(reference.openSource(transportContext()))).toMatchObject({
      code: "io",
      message: `archive file not found: ${JSON.stringify(reference.policyIdentity)}`,
    });
  });

  test("C7: a foreign layer is read if it is there, and never fetched", async () => {
    const foreign = { ...descriptorOf(layer), urls: ["http://127.0.0.1:1/layer"] };
    using full = made(whole);
    await using source = await open(full, "image");
    expect(await collect(await source.openBlob(foreign), Infinity)).toEqual(Buffer.from(body));
    using without = made(replaced(layerPath));
    await using poor = await open(without, "image");
    expect(await rejection(poor.openBlob(foreign))).toMatchObject({
      code: "unsupported",
      message: `open ${layerPath}: no such file or directory`,
      hint: expect.stringContaining("foreign layer"),
    });
  });
});
