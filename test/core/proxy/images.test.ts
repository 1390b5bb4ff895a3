import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { type Digest, parseDigest } from "../../../core/content/digest.ts";
import { type ProxyContent, ProxyImages } from "../../../core/proxy/images.ts";
import { Gate, type Policy } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf, holding, rejecting } from "../../support/engine.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const image = sampleImage({ seed: "proxy", format: "docker", layers: ["gzip", "none"] });
const list = sampleList({ seed: "proxy", format: "oci" });
const layer = parseDigest(image.layers[0]?.digest ?? "");
const layerBytes = image.layers[0]?.bytes ?? new Uint8Array();

function imagesUnder(policy: Policy = acceptEverything): ProxyImages {
  const gate = new Gate(policy, { requireSigned: false, now: () => new Date() });
  return new ProxyImages({ gate, platform: { os: "linux", architecture: "amd64" } });
}

async function open(images: ProxyImages, from = holding(image)): Promise<number> {
  return images.open(from.parseReference("a"), transportContext());
}

const read = async ({ content }: ProxyContent) => collect(content.open(), 10_000_000);

describe("ProxyImages", () => {
  test("numbers images from 1, and never gives a number twice", async () => {
    await using images = imagesUnder();
    expect([await open(images), await open(images)]).toEqual([1, 2]);
    await images.close(2);
    expect(await open(images)).toBe(3);
    expect((await failureOf(images.close(2))).message).toBe("no image 2");
  });

  test("gives an OCI manifest, and the digest of the one that is kept", async () => {
    await using images = imagesUnder();
    const manifest = await images.manifest(await open(images));
    expect(String(manifest.value)).toBe(image.manifest.digest);
    const text = new TextDecoder().decode(await read(manifest));
    expect(JSON.parse(text)).toMatchObject({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json" },
    });
  });

  test("gives blobs that the manifest names, and no others", async () => {
    await using images = imagesUnder();
    const number = await open(images);
    const blob = images.blob(number, layer, layerBytes.length);
    expect(blob.value).toBe(layerBytes.length);
    expect(await read(blob)).toEqual(layerBytes);
    const other = parseDigest(`sha256:${"0".repeat(64)}`);
    expect(() => images.blob(number, other)).toThrow(`Image 1 does not name a blob ${other}`);
  });

  test("says at the end of a blob what was wrong with it", async () => {
    await using images = imagesUnder();
    const from = holding(image);
    const number = await open(images, from);
    const short = await failureOf(read(images.blob(number, layer, 5)));
    expect(short.message).toBe(`expected 5 bytes in blob, got ${layerBytes.length}`);
    from.blobs.set(layer, new Uint8Array(layerBytes.length));
    const corrupt = await failureOf(read(images.blob(number, layer)));
    expect(corrupt.message).toStartWith(`corrupted blob, expecting ${layer}`);
  });

  test("G1: opens nothing that the policy refuses", async () => {
    await using images = imagesUnder(rejecting(image.manifest.digest));
    expect(await failureOf(open(images))).toMatchObject({ code: "rejected" });
    expect(() => images.layers(1)).toThrow("no image 1");
  });

  const chosen = list.images[0]?.manifest.digest ?? "";
  test.each([
    ["the list alone", [list.manifest.digest], true],
    ["the image alone", [chosen], true],
    ["both", [list.manifest.digest, chosen], false],
  ])(
    "of a list opens the image for the platform unless the policy refuses %s",
    async (_, refused, opens) => {
      await using images = imagesUnder(rejecting(...refused));
      const opening = open(images, holding(list));
      if (!opens) return void expect(await failureOf(opening)).toMatchObject({ code: "rejected" });
      const { value } = await images.manifest(await opening);
      expect(value as Digest).toBe(chosen as Digest);
    },
  );
});
