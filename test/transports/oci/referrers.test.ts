import { expect, test } from "bun:test";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { parseIndex } from "../../../transports/oci/index-json.ts";
import { readReferrers } from "../../../transports/oci/referrers.ts";
import { bundleOf, bundleType, referrerOf } from "../../support/bundles.ts";
import { sampleImage } from "../../support/sample-images.ts";

const { manifest } = sampleImage({ layers: [], format: "oci" });
const digest = parseDigest(manifest.digest);
const referrer = referrerOf({ digest: manifest.digest, size: 1 }, bundleOf());
const type = "application/vnd.oci.image.manifest.v1+json";
const index = "application/vnd.oci.image.index.v1+json";
const entry = { mediaType: type, digest: digestOf(referrer), size: referrer.length };
const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));

function found(manifests: readonly object[], blobs: readonly Uint8Array[]) {
  const byDigest = new Map(blobs.map((blob) => [digestOf(blob), blob]));
  const readManifest = async (wanted: Digest) => byDigest.get(wanted) ?? new Uint8Array();
  const layout = parseIndex(bytes({ schemaVersion: 2, manifests }));
  return readReferrers(layout, { digest, artifactType: bundleType }, { readManifest });
}

test.each([bundleType, "application/vnd.oci.empty.v1+json"])(
  "a layout has referrers without names, as oras leaves them: %s",
  async (artifactType) => {
    const image = { mediaType: type, digest: manifest.digest, size: 1 };
    const manifests = [image, { ...entry, artifactType }, { ...entry, artifactType: "text/plain" }];
    expect(await found(manifests, [referrer])).toEqual([{ bytes: referrer, mediaType: type }]);
  },
);

test("a layout has referrers under their tag, each once", async () => {
  const list = bytes({ schemaVersion: 2, mediaType: index, manifests: [entry] });
  const named = {
    mediaType: index,
    digest: digestOf(list),
    size: list.length,
    annotations: { "org.opencontainers.image.ref.name": digest.replace(":", "-") },
  };
  const manifests = [named, { ...entry, artifactType: bundleType }];
  expect(await found(manifests, [list, referrer])).toHaveLength(1);
});

test("a layout has no referrers that are images, or have a name", async () => {
  const named = { "org.opencontainers.image.ref.name": "x" };
  const manifests = [entry, { ...entry, artifactType: bundleType, annotations: named }];
  expect(await found(manifests, [referrer])).toEqual([]);
});

test("a layout's referrer has to be what its digest promises", async () => {
  const finding = found([{ ...entry, artifactType: bundleType }], []);
  expect(finding).rejects.toThrow("does not match its digest");
});
