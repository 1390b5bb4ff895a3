// Found images: which image is looked at, and what it says about itself.

import { describe, expect, test } from "bun:test";

import { type ByteStream, streamOf } from "../../../core/blob/stream.ts";
import { digestOf } from "../../../core/content/digest.ts";
import { configTypes, manifestTypes } from "../../../core/content/media-types.ts";
import type { RawManifest } from "../../../core/image/source.ts";
import { findImage, readClaims, readConfigBlob } from "../../../core/inspect/found-image.ts";
import { manifestDigest } from "../../../core/manifest/manifest.ts";
import { Candidate } from "../../../core/trust/gate.ts";
import {
  dockerListSample,
  entrySample,
  ociIndexSample,
  ociSample,
  rawSample,
  type Sample,
  schema1Sample,
  schema2Sample,
  someDigest,
} from "../../support/sample-manifests.ts";
import { sourceOf } from "../../support/source-of.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const config = new TextEncoder().encode('{"architecture":"arm","config":{"Env":["A=b"]}}');
const configEntry = (mediaType: string, bytes = config) => {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
};
const oci = rawSample(manifestTypes.oci, ociSample({ config: configEntry(configTypes.oci) }));
const schema2 = rawSample(
  manifestTypes.schema2,
  schema2Sample({ config: configEntry(configTypes.docker) }),
);

/** Something found: a manifest, the images it may lead to, and one blob for all digests. */
function found(top: RawManifest, instances: readonly RawManifest[] = [], blob = config): Candidate {
  const known = new Map(instances.map((raw) => [manifestDigest(raw.bytes), raw]));
  return new Candidate(
    sourceOf(
      {},
      {
        readManifest: async (instance) => (instance && known.get(instance)) ?? top,
        openBlob: async (): Promise<ByteStream> => streamOf(blob),
      },
    ),
  );
}

function entryOf(raw: RawManifest, platform = "linux/amd64"): Sample {
  return entrySample(platform, {
    mediaType: raw.mediaType,
    digest: manifestDigest(raw.bytes),
    size: raw.bytes.length,
  });
}

describe("findImage", () => {
  test("finds an image that is no list, whatever it is for", async () => {
    const { manifest } = await findImage(found(oci), { os: "plan9", architecture: "mips" });
    expect(manifest.raw).toBe(oci);
  });

  test.each([
    ["OCI index", manifestTypes.ociIndex, ociIndexSample],
    ["Docker list", manifestTypes.dockerList, dockerListSample],
  ])("finds the image for the platform in an %s", async (_, mediaType, listOf) => {
    const list = rawSample(mediaType, listOf([entryOf(oci, "linux/arm64"), entryOf(schema2)]));
    const image = await findImage(found(list, [oci, schema2]), amd64);
    expect(image.manifest.raw).toBe(schema2);
    expect(await image.candidate.digest()).toBe(manifestDigest(schema2.bytes));
  });

  const nested = rawSample(manifestTypes.ociIndex, ociIndexSample([]));
  test.each([
    [
      "a list without such an image",
      ociIndexSample([entryOf(oci, "linux/s390x")]),
      'choosing image instance: no image found in image index for architecture "amd64", variant "", OS "linux"',
    ],
    [
      "a list of lists",
      ociIndexSample([entryOf(nested)]),
      "Unexpectedly received a manifest list instead of a manifest for a single image",
    ],
  ])("refuses %s", async (_, list, message) => {
    const raw = rawSample(manifestTypes.ociIndex, list);
    await expect(findImage(found(raw, [nested]), amd64)).rejects.toMatchObject({ message });
  });

  // C4: what was chosen by its digest is that, or nothing.
  test("refuses another image than the one it chose", async () => {
    const entry = { ...entryOf(oci), digest: someDigest("promised") };
    const raw = rawSample(manifestTypes.ociIndex, ociIndexSample([entry]));
    const message = `fetching target platform image selected from image index: Manifest does not match provided manifest digest ${someDigest("promised")}`;
    await expect(findImage(found(raw), amd64)).rejects.toMatchObject({
      code: "corrupt",
      message: expect.stringContaining(message),
    });
  });
});

describe("readClaims", () => {
  test.each([
    ["OCI", oci],
    ["schema 2", schema2],
  ])("reads the config of an %s image", async (_, raw) => {
    const image = await findImage(found(raw), amd64);
    const { config: claimed, tag } = await readClaims(image);
    expect(claimed).toMatchObject({ architecture: "arm", config: { env: ["A=b"] } });
    expect(tag).toBe("");
  });

  test("takes everything from a schema 1 manifest, and opens no blob", async () => {
    const raw = rawSample(manifestTypes.schema1, schema1Sample());
    const candidate = new Candidate(sourceOf({}, { readManifest: async () => raw }));
    const { config: claimed, tag } = await readClaims(await findImage(candidate, amd64));
    expect(tag).toBe("latest");
    expect(claimed).toMatchObject({ dockerVersion: "1.9", rootfs: { diffIds: [""] } });
  });

  test.each([
    [{}, "application/vnd.example+json"],
    [{ artifactType: "application/x.thing" }, "application/x.thing"],
  ])("refuses an artifact with %j, and says what it is", async (changes, type) => {
    const manifest = { config: configEntry("application/vnd.example+json"), ...changes };
    const image = await findImage(found(rawSample(manifestTypes.oci, ociSample(manifest))), amd64);
    await expect(readClaims(image)).rejects.toMatchObject({
      code: "unsupported",
      message: `unsupported image-specific operation on artifact with type "${type}"`,
    });
    // Its bytes can be had all the same.
    expect(await readConfigBlob(image)).toEqual(config);
  });
});

describe("readConfigBlob", () => {
  test("gives the bytes as stored", async () => {
    expect(await readConfigBlob(await findImage(found(oci), amd64))).toEqual(config);
  });

  test("gives nothing of a schema 1 image", async () => {
    const raw = rawSample(manifestTypes.schema1, schema1Sample());
    expect(await readConfigBlob(await findImage(found(raw), amd64))).toEqual(new Uint8Array());
  });

  // C1: nothing is believed that its digest does not vouch for.
  test("refuses bytes that are not those of the manifest", async () => {
    const other = config.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
    const image = await findImage(found(oci, [], other), amd64);
    await expect(readConfigBlob(image)).rejects.toMatchObject({ code: "corrupt" });
  });
});
