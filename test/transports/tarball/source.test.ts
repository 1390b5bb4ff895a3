// Reading archives as layers.

import { describe, expect, test } from "bun:test";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { Candidate } from "../../../core/trust/gate.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import { tarball } from "../../../transports/tarball/reference.ts";
import { rejection } from "../../support/rejection.ts";
import { mediaTypes, type SampleCompression, sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const compressions: readonly SampleCompression[] = ["none", "gzip", "zstd"];
// With every odd entry there is: devices, broken names, binary attributes.
const sample = sampleImage({ format: "oci", layers: compressions });

describe("the source of tarball", () => {
  test("gives each archive as one layer, byte for byte", async () => {
    using workspace = filled();
    await using source = await open(workspace, ["0", "1", "2"]);
    const { layers, diffIds } = await partsOf(source);
    expect(layers.map(({ digest }) => digest)).toEqual(
      sample.layers.map(({ digest }) => digest as never),
    );
    expect(layers.map(({ mediaType }) => mediaType)).toEqual(
      compressions.map((compression) => mediaTypes.oci[compression]),
    );
    expect(diffIds).toEqual([...sample.diffIds]);
    for (const [index, layer] of layers.entries()) {
      const read = await collect(await source.openBlob(layer), Infinity);
      expect(Buffer.compare(read, sample.layers[index]?.bytes ?? read.subarray(1))).toBe(0);
      expect(layer.size).toBe(read.length);
    }
  });

  test("was made when the newest archive was", async () => {
    using workspace = filled();
    utimesSync(workspace.at("0"), 0, 1_700_000_000);
    utimesSync(workspace.at("1"), 0, 1_600_000_000.5);
    await using source = await open(workspace, ["0", "1"]);
    const { config } = await partsOf(source);
    expect(config).toMatchObject({
      created: "2023-11-14T22:13:20Z",
      os: "plan9",
      architecture: "riscv64",
      history: [
        { created: "2023-11-14T22:13:20Z", comment: "imported from tarball" },
        { created: "2020-09-13T12:26:40.5Z", comment: "imported from tarball" },
      ],
    });
  });

  test("reads a pipe, once", async () => {
    using workspace = filled();
    Bun.spawnSync(["mkfifo", workspace.at("pipe")]);
    const writer = Bun.spawn(["cp", workspace.at("1"), workspace.at("pipe")]);
    {
      await using source = await open(workspace, ["0", "pipe"]);
      const { layers } = await partsOf(source);
      const [, piped = sample.config] = layers;
      expect<string>(piped.digest).toBe(sample.layers[1]?.digest ?? "");
      const read = await collect(await source.openBlob(layers[1]!), Infinity);
      expect(Buffer.compare(read, sample.layers[1]!.bytes)).toBe(0);
      expect(readdirSync(workspace.at()).some((name) => name.startsWith("."))).toBe(true);
    }
    await writer.exited;
    expect(readdirSync(workspace.at()).toSorted()).toEqual(["0", "1", "2", "pipe"]);
  });

  test.each([
    ["a gzip that is cut off", sample.layers[1]!.bytes.subarray(0, 300), "corrupt"],
    ["a zstd that is cut off", sample.layers[2]!.bytes.subarray(0, 300), "corrupt"],
    ["xz", Buffer.from("fd377a585a000004e6d6b446", "hex"), "unsupported"],
    ["bzip2", Buffer.from("BZh91AY&SY"), "unsupported"],
  ])("refuses %s, and names the file", async (_, bytes, code) => {
    using workspace = new Workspace();
    writeFileSync(workspace.at("broken"), bytes);
    const failure = await rejection(open(workspace, ["broken"]));
    expect(failure.code as string).toBe(code);
    expect(failure.message).toStartWith(`error reading "${workspace.at("broken")}": `);
  });

  test("says that a directory is none", async () => {
    using workspace = new Workspace();
    const failure = await rejection(open(workspace, [""]));
    expect(failure).toMatchObject({
      code: "io",
      message: expect.stringMatching(/is a directory$/),
    });
  });

  test("C2: an archive that changed meanwhile is found out", async () => {
    using workspace = filled();
    await using source = await open(workspace, ["0"]);
    const { layers } = await partsOf(source);
    writeFileSync(workspace.at("0"), "something else");
    const [layer] = layers;
    const failure = await rejection(new Candidate(source).look(layer!, Infinity));
    expect(failure.code).toBe("corrupt");
  });
});

function filled(): Workspace {
  const workspace = new Workspace();
  for (const [index, { bytes }] of sample.layers.entries()) {
    writeFileSync(workspace.at(String(index)), bytes);
  }
  return workspace;
}

function open(workspace: Workspace, names: readonly string[]): Promise<ImageSource> {
  const text = names.map((name) => workspace.at(name)).join(":");
  const settings = { tarball: { os: "plan9", architecture: "riscv64" } };
  const context = transportContext({ settings, temporaryDirectory: workspace.path });
  return tarball.parseReference(text).openSource(context);
}

async function partsOf(source: ImageSource) {
  const manifest = parseManifest(await source.readManifest());
  if (manifest.kind !== "image" || manifest.config === undefined) throw new Error("no image");
  const bytes = await collect(await source.openBlob(manifest.config), 100_000);
  const config = JSON.parse(new TextDecoder().decode(bytes));
  return { layers: manifest.layers, config, diffIds: config.rootfs.diff_ids as string[] };
}
