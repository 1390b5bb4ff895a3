// Reading Singularity images.

import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { digestOf } from "../../../core/content/digest.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import { sif } from "../../../transports/sif/reference.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { primary, type SifObject, sifOf, type SifWish } from "../../support/sif-bytes.ts";
import { squashOf, squashProgram } from "../../support/squash-image.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const squashTest = testWith(squashProgram);
const nothing = new Uint8Array(100);
const loading = "loading SIF file: ";
const converting = "converting rootfs from SquashFS to Tarball: ";
const root = "looking up rootfs from SIF file: ";

describe("the source of sif", () => {
  squashTest("gives an image of one layer, which is the same each time", async () => {
    using workspace = new Workspace();
    const body = new TextEncoder().encode("%runscript\necho\n");
    write(workspace, [
      { kind: "definition", body },
      { kind: "partition", body: rootOf("content"), partition: primary },
    ]);
    await using source = await open(workspace);
    const { config, layers } = await partsOf(source);
    const [layer] = layers;
    const hex = layer?.digest.slice("sha256:".length);
    // As skopeo 1.22 writes it.
    expect(config).toBe(
      `{"created":"2023-11-14T22:13:20Z","architecture":"amd64","os":"linux","config":{"Cmd":["/podman/runscript"]},"rootfs":{"type":"layers","diff_ids":["sha256:${hex}"]},"history":[{"created":"2023-11-14T22:13:20Z","created_by":"/bin/sh -c #(nop) ADD file:${hex} in /","comment":"imported from SIF, uuid: 00112233-4455-6677-8899-aabbccddeeff"},{"created":"2023-11-14T22:13:20Z","created_by":"/bin/sh -c #(nop) CMD [\\"bash\\"]","empty_layer":true}]}`,
    );
    for (const _ of [1, 2]) {
      const bytes = await collect(await source.openBlob(layer!), Infinity);
      expect(digestOf(bytes)).toBe(layer!.digest);
      expect(bytes.length).toBe(layer!.size!);
    }
  });

  squashTest("runs a shell if no definition says otherwise, or several do", async () => {
    for (const count of [0, 2]) {
      using workspace = new Workspace();
      const body = new TextEncoder().encode("%runscript\necho\n");
      write(workspace, [
        ...Array.from({ length: count }, () => ({ kind: "definition", body }) as const),
        { kind: "partition", body: rootOf(""), partition: primary },
      ]);
      await using source = await open(workspace);
      expect((await partsOf(source)).config).toContain('"config":{"Cmd":["bash"]}');
    }
  });

  const partition: SifObject = { kind: "partition", body: nothing, partition: primary };
  test.each<[what: string, objects: readonly SifObject[], wish: SifWish, message: string]>([
    ["another kind of file", [], { magic: "x" }, `${loading}invalid SIF magic`],
    ["an image of nothing", [], {}, `${converting}${root}no objects in image`],
    [
      "an image without a root",
      [{ kind: "partition", body: nothing, partition: { role: 1 } }],
      {},
      `${converting}${root}object not found`,
    ],
    [
      "an image of two roots",
      [partition, partition],
      {},
      `${converting}${root}multiple objects found`,
    ],
    [
      "a root of another kind",
      [partition],
      {},
      `${converting}The root file system is not SquashFS, or it is encrypted`,
    ],
    [
      "a root beyond the end",
      [{ ...partition, offset: 1n << 50n }],
      {},
      `${converting}unexpected EOF`,
    ],
    ["a root before the start", [{ ...partition, offset: -5n }], {}, `${converting}unexpected EOF`],
    [
      "a definition beyond reason",
      [{ kind: "definition", body: nothing, size: 1n << 40n }, partition],
      {},
      "The definition exceeded maximum allowed size of 4194304 bytes",
    ],
  ])("refuses %s", async (_, objects, wish, message) => {
    using workspace = new Workspace();
    write(workspace, objects, wish);
    expect(await rejection(open(workspace))).toMatchObject({ message });
  });

  test("says which file it did not find", async () => {
    using workspace = new Workspace();
    const path = workspace.at("image.sif");
    expect(await rejection(open(workspace))).toMatchObject({
      code: "io",
      message: `${loading}open ${path}: no such file or directory`,
    });
    mkdirSync(path);
    expect(await rejection(open(workspace))).toMatchObject({
      code: "io",
      message: `${loading}reading global header: read ${path}: is a directory`,
    });
  });
});

function rootOf(content: string): Uint8Array {
  return squashOf((at) => writeFileSync(at("file"), content));
}

function write(workspace: Workspace, objects: readonly SifObject[], wish: SifWish = {}): void {
  writeFileSync(workspace.at("image.sif"), sifOf(objects, wish));
}

function open(workspace: Workspace): Promise<ImageSource> {
  return sif.parseReference(workspace.at("image.sif")).openSource(transportContext());
}

async function partsOf(source: ImageSource) {
  const manifest = parseManifest(await source.readManifest());
  if (manifest.kind !== "image" || manifest.config === undefined) throw new Error("no image");
  const config = await collect(await source.openBlob(manifest.config), 100_000);
  return { layers: manifest.layers, config: new TextDecoder().decode(config) };
}
