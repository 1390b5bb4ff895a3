import { describe, expect, test } from "bun:test";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { limits } from "../../../core/limits.ts";
import { type LayoutIndex, parseIndex } from "../../../transports/oci/index-json.ts";
import { readReferrers, withoutReferrers } from "../../../transports/oci/referrers.ts";
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

const named = (name: string, of = digest as string) => ({
  mediaType: type,
  digest: of,
  size: 1,
  annotations: { "org.opencontainers.image.ref.name": name },
});

test("a layout's referrers are found, however many others it has", async () => {
  const about = (digest: string) => ({
    ...entry,
    artifactType: bundleType,
    annotations: { "vnd.dray.subject": digest },
  });
  const stranger = about(`sha256:${"1".repeat(64)}`);
  const others = Array.from({ length: limits.referrers + 1 }, () => stranger);
  expect(await found([...others, about(digest)], [referrer])).toHaveLength(1);
});

describe("withoutReferrers", () => {
  const left = async (manifests: readonly object[], gone: readonly Digest[]) => {
    const layout: LayoutIndex = parseIndex(bytes({ schemaVersion: 2, manifests }));
    const read = async (wanted: Digest) =>
      wanted === digestOf(referrer) ? referrer : wanted === digest ? manifest.bytes : undefined;
    return (await withoutReferrers(layout, gone, read)).entries.length;
  };
  const artifact = { ...entry, artifactType: bundleType };
  const noted = { ...artifact, annotations: { "vnd.dray.subject": digest } };
  const tagged = { ...named(digest.replace(":", "-")), mediaType: manifestTypes.ociIndex };

  test.each([
    ["what an entry says that it is about it", noted],
    ["what says so itself", artifact],
    ["their index", tagged],
  ])("leaves out, with an image, %s", async (_, each) => {
    expect(await left([named("x"), each], [digest])).toBe(1);
    expect(await left([named("x"), each], [digestOf(referrer)])).toBe(2);
  });

  test("keeps images, and what cannot be read", async () => {
    const missing = { ...artifact, digest: `sha256:${"1".repeat(64)}` };
    const odd = { ...artifact, digest: "odd" };
    expect(await left([named("x"), missing, odd], [digest])).toBe(3);
  });
});
