import { describe, expect, test } from "bun:test";
import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import type { ImageManifest } from "../../../core/manifest/types.ts";
import {
  contentLayers,
  describeImage,
} from "../../../transports/containers-storage/described-image.ts";
import { configOf } from "../../support/docker-tars.ts";
import { failureOf } from "../../support/failure-of.ts";
import { imageOfLayers, madeLayers } from "../../support/made-store.ts";
import { imageFrom, schema1Sample } from "../../support/sample-manifests.ts";
import { imageOf, mediaTypes } from "../../support/sample-images.ts";

const layers = madeLayers("a", "b");
const sample = imageOfLayers(layers);
const diffIds = sample.diffIds.map(parseDigest);

function manifestOf(image: { manifest: { bytes: Uint8Array; mediaType: string } }): ImageManifest {
  const manifest = parseManifest(image.manifest);
  if (manifest.kind !== "image") throw new Error("a list");
  return manifest;
}

function withConfig(text: string) {
  const bytes = new TextEncoder().encode(text);
  const config = { mediaType: mediaTypes.oci.config, bytes, digest: digestOf(bytes) };
  return { manifest: manifestOf(imageOf("oci", config, sample.layers, [])), bytes };
}

describe("describeImage", () => {
  test("knows an image by its config", () => {
    expect(describeImage(manifestOf(sample), sample.config.bytes, diffIds)).toEqual({
      id: sample.config.digest.slice(7),
    });
    const { manifest, bytes } = withConfig('{"created":"2024-01-02T03:04:05Z"}');
    expect(describeImage(manifest, bytes, diffIds).created).toBe("2024-01-02T03:04:05Z");
    const never = withConfig('{"created":"0001-01-01T00:00:00Z"}');
    expect(describeImage(never.manifest, never.bytes, diffIds).created).toBeUndefined();
  });

  test("knows an image of schema 1 by the config that it would have", () => {
    const manifest = imageFrom(manifestTypes.schema1, schema1Sample());
    const content = contentLayers(manifest);
    expect(content.length).toBeLessThan(manifest.layers.length);
    const described = describeImage(
      manifest,
      undefined,
      content.map(({ digest }) => digest),
    );
    expect(described.id).toMatch(/^[0-9a-f]{64}$/);
  });

  test("refuses layers that the config does not name", () => {
    const other = madeLayers("c").map(({ digest }) => parseDigest(digest));
    const [base, top] = diffIds;
    if (base === undefined || top === undefined) throw new Error("no layers");
    expect(
      failureOf(() => describeImage(manifestOf(sample), sample.config.bytes, [base, ...other])),
    ).toMatchObject({
      code: "corrupt",
      message: `layer 1 (blob ${sample.layers[1]?.digest}) does not match config's DiffID "${top}"`,
    });
    const { manifest, bytes } = withConfig(configOf(base));
    expect(failureOf(() => describeImage(manifest, bytes, diffIds))).toMatchObject({
      message: "image config has only 1 DiffID values, but a layer with index 1 exists",
    });
  });

  test("takes configs of old, which name no layers", () => {
    const { manifest, bytes } = withConfig("{}");
    expect(describeImage(manifest, bytes, diffIds).id).toHaveLength(64);
  });

  test("refuses what is no image", () => {
    const { manifest, bytes } = withConfig("[]");
    expect(failureOf(() => describeImage(manifest, bytes, diffIds))).toMatchObject({
      message: expect.stringContaining("writing to c/storage without a valid image config: "),
    });
    const text = Buffer.from(sample.manifest.bytes)
      .toString()
      .replace("oci.image.config", "example");
    const artifact = manifestOf({ manifest: { ...sample.manifest, bytes: Buffer.from(text) } });
    expect(failureOf(() => describeImage(artifact, sample.config.bytes, diffIds))).toMatchObject({
      code: "unsupported",
    });
  });
});
