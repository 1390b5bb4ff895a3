import { describe, expect, test } from "bun:test";
import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { withKeptLayers } from "../../../core/copy/kept-layers.ts";
import type { ImageSource, KeptLayers } from "../../../core/image/source.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import { Candidate, Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { imageOfLayers, madeLayers } from "../../support/made-store.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { rejection } from "../../support/rejection.ts";
import type { SampleImage } from "../../support/sample-images.ts";
import { imageOf, mediaTypes } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const made = madeLayers("a", "b");
const sample = imageOfLayers(made);
const kept = made.map(({ digest, tar }) => ({ digest: parseDigest(digest), size: tar.length }));

interface Wish {
  readonly image?: SampleImage;
  readonly layers?: KeptLayers["layers"];
  readonly frozenBecause?: string;
}

async function change({ image: of = sample, layers, frozenBecause }: Wish) {
  const memory = new MemoryTransport();
  memory.add("x", of);
  const source: ImageSource = await memory.parseReference("x").openSource(transportContext());
  if (layers !== undefined) source.readLayers = async () => ({ image: "i", layers });
  const gate = new Gate(acceptEverything, { requireSigned: false, now: () => new Date() });
  const image = await gate.admit(new Candidate(source));
  const manifest = parseManifest(image.manifest);
  if (manifest.kind !== "image") throw new Error("a list");
  const readConfig = async () => of.config.bytes;
  return {
    manifest,
    changed: await withKeptLayers({ image, manifest, frozenBecause, readConfig }),
  };
}

describe("withKeptLayers", () => {
  test("changes nothing where blobs are kept as they are listed", async () => {
    const { manifest, changed } = await change({});
    expect(changed).toBe(manifest);
    const listed = imageOf("oci", sample.config, [], []);
    const none = await change({ image: listed, layers: [] });
    expect(none.changed).toBe(none.manifest);
  });

  test("lists what can be read, with the types of uncompressed layers", async () => {
    const { changed } = await change({ layers: kept });
    expect(changed.layers).toEqual(
      kept.map((layer) => ({ ...layer, mediaType: mediaTypes.oci.none })),
    );
    expect(changed.config).toMatchObject({ digest: sample.config.digest });
  });

  test("drops what was said of compressed bytes", async () => {
    const annotations = { "io.github.containers.zstd-chunked.manifest-checksum": "x", kept: "y" };
    const text = new TextDecoder().decode(sample.manifest.bytes);
    const document = JSON.parse(text);
    for (const layer of document.layers) Object.assign(layer, { annotations, urls: ["https://x"] });
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const image = { ...sample, manifest: { ...sample.manifest, bytes } };
    const [layer] = (await change({ image, layers: kept })).changed.layers;
    expect(layer?.annotations).toEqual({ kept: "y" });
    expect(layer?.urls).toBeUndefined();
  });

  test("fails where the manifest must not change", async () => {
    const failure = await rejection(change({ layers: kept, frozenBecause: "Would hurt" }));
    expect(failure).toMatchObject({
      code: "unsupported",
      message:
        'Copying this image would require changing layer representation, which we cannot do: "Would hurt": the store keeps layers without the compression that the manifest tells of',
    });
  });

  test.each([
    [kept.slice(1), 'creating LayerInfosForCopy of image "i": expected more than 1 physical'],
    [[...kept, ...kept], 'image "i": used only 2 out of 4 physical layers'],
    [kept.toReversed(), "Layer 1 of the image is"],
  ])("fails where what is kept is another image", async (layers, message) => {
    const failure = await rejection(change({ layers }));
    expect(failure).toMatchObject({ code: "corrupt", message: expect.stringContaining(message) });
  });

  test.each([
    ["names no layers", mediaTypes.oci.config, '{"architecture":"amd64","os":"linux"}'],
    ["is none of an image", "application/vnd.example.config+json", "{}"],
  ])("G2: fails where the config %s, so that nothing says what was admitted", async (...of) => {
    const [, mediaType, text] = of;
    const bytes = new TextEncoder().encode(text);
    const config = { mediaType, bytes, digest: digestOf(bytes) };
    const image = imageOf("oci", config, sample.layers, []);
    const failure = await rejection(change({ image, layers: kept }));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: "The store has 2 layers of the image, but its config names 0",
    });
  });
});
