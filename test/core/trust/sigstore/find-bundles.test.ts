import { describe, expect, test } from "bun:test";

import { streamOf } from "../../../../core/blob/stream.ts";
import { digestOf } from "../../../../core/content/digest.ts";
import { configTypes, layerFamilies } from "../../../../core/content/media-types.ts";
import { Failure } from "../../../../core/failure.ts";
import type { ImageSource } from "../../../../core/image/source.ts";
import { Candidate } from "../../../../core/trust/gate.ts";
import {
  bundleReferrers,
  bundleRemark,
  findBundles,
} from "../../../../core/trust/sigstore/find-bundles.ts";
import { bundleOf, bundleType, referrerOf } from "../../../support/bundles.ts";
import { rejection } from "../../../support/rejection.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { sourceOf } from "../../../support/source-of.ts";

const { manifest } = sampleImage({ layers: [] });
const subject = { digest: manifest.digest, size: manifest.bytes.length };
const [one, two] = [bundleOf(), bundleOf()] as [Uint8Array, Uint8Array];

function candidate(
  referrers: readonly Uint8Array[],
  blobs: readonly Uint8Array[],
  parts: Partial<ImageSource> = {},
): Candidate {
  const source = sourceOf(
    {},
    {
      readManifest: async () => manifest,
      readReferrers: async (digest, type) => {
        expect([digest as string, type]).toEqual([manifest.digest, bundleType]);
        return referrers.map((bytes) => ({ bytes, mediaType: "" }));
      },
      openBlob: async ({ digest }) =>
        streamOf(blobs.find((bytes) => digestOf(bytes) === digest) ?? new Uint8Array()),
      ...parts,
    },
  );
  return new Candidate(source);
}

describe("findBundles", () => {
  test("returns all, and passes over what is about something else", async () => {
    const others = [
      referrerOf({ ...subject, digest: `sha256:${"1".repeat(64)}` }, one),
      referrerOf(subject, one, { artifactType: "text/plain" }),
      referrerOf(subject, one, { layers: [] }),
      referrerOf(subject, one, { subject: undefined }),
      new TextEncoder().encode("no JSON"),
      new TextEncoder().encode('{"subject":{},"subject":{}}'),
    ];
    const own = [one, two].map((bundle) => referrerOf(subject, bundle));
    expect(await findBundles(candidate([...others, ...own], [one, two]))).toEqual([one, two]);
  });

  test.each([
    [
      "layer",
      { layers: [{ mediaType: layerFamilies.oci.none, digest: digestOf(one), size: one.length }] },
    ],
    ["config", { config: { mediaType: configTypes.oci, digest: digestOf(one), size: one.length } }],
  ])("G1: passes over what could be run, because of its %s", async (_, members) => {
    const found = candidate([referrerOf(subject, one, members)], [one]);
    expect(await findBundles(found)).toEqual([]);
    expect(await bundleReferrers(found)).toEqual([]);
  });

  test.each<[string, (manifest: string) => string]>([
    ["is a list, too", (manifest) => manifest.replace("{", '{"manifests":[],')],
    ["has other layers for some", (manifest) => manifest.replace("{", '{"Layers":[],')],
    ["has another config for some", (manifest) => manifest.replace("{", '{"CONFIG":{},')],
    [
      "has a layer of another type for some",
      (manifest) => manifest.replace('"layers":[{', '"layers":[{"MediaType":"text/plain",'),
    ],
  ])("C4: passes over what %s", async (_, spoil) => {
    const text = new TextDecoder().decode(referrerOf(subject, one));
    const spoilt = spoil(text);
    expect(spoilt).not.toBe(text);
    const found = candidate([new TextEncoder().encode(spoilt)], [one]);
    expect(await findBundles(found)).toEqual([]);
    expect(await bundleReferrers(found)).toEqual([]);
  });

  test("takes the config's type where the manifest has none", async () => {
    const older = referrerOf(subject, one, {
      artifactType: undefined,
      config: { mediaType: bundleType, digest: digestOf(one), size: 1 },
    });
    expect(await findBundles(candidate([older], [one]))).toEqual([one]);
  });

  test("refuses a bundle that is not what was promised", async () => {
    const finding = findBundles(candidate([referrerOf(subject, one)], [two]));
    expect(await rejection(finding)).toMatchObject({ code: "corrupt" });
  });

  test("finds none where nobody can look", async () => {
    const blind = sourceOf({}, { readManifest: async () => manifest });
    expect(await findBundles(new Candidate(blind))).toEqual([]);
  });
});

describe("bundleRemark", () => {
  test("counts", async () => {
    const own = [one, two].map((bundle) => referrerOf(subject, bundle));
    expect(await bundleRemark(candidate([], []))).toBe("");
    expect(await bundleRemark(candidate(own.slice(1), []))).toBe(
      ": 1 Sigstore bundle found, which carries no image name",
    );
    expect(await bundleRemark(candidate(own, []))).toBe(
      ": 2 Sigstore bundles found, which carry no image name",
    );
  });

  test("says nothing where looking fails, but for an end that was wished", async () => {
    const failing = (code: "refused" | "canceled") =>
      candidate([], [], {
        readReferrers: async () => {
          throw new Failure(code, "x");
        },
      });
    expect(await bundleRemark(failing("refused"))).toBe("");
    expect(await rejection(bundleRemark(failing("canceled")))).toMatchObject({ code: "canceled" });
  });
});

describe("bundleReferrers", () => {
  const mediaType = "application/vnd.oci.image.manifest.v1+json";

  test("returns bundles with the manifests that lead to them, each once", async () => {
    const [first, second] = [one, two].map((bundle) => referrerOf(subject, bundle)) as [
      Uint8Array,
      Uint8Array,
    ];
    const found = await bundleReferrers(candidate([first, second, first], [one, two]));
    expect(found.map(({ manifest: { bytes } }) => bytes)).toEqual([first, second]);
    expect(found[0]).toEqual({
      manifest: { mediaType, digest: digestOf(first), bytes: first },
      artifactType: bundleType,
      blobs: [
        { mediaType: bundleType, digest: digestOf(one), bytes: one },
        {
          mediaType: "application/vnd.oci.empty.v1+json",
          digest: digestOf(new TextEncoder().encode("{}")),
          bytes: new TextEncoder().encode("{}"),
        },
      ],
    });
  });

  test("reads a config that is not empty, which has to be what was promised", async () => {
    const config = new TextEncoder().encode('{"a":1}');
    const described = { mediaType: "a/b", digest: digestOf(config), size: config.length };
    const own = referrerOf(subject, one, { config: described });
    const [found] = await bundleReferrers(candidate([own], [one, config]));
    expect(found?.blobs[1]).toEqual({ mediaType: "a/b", digest: digestOf(config), bytes: config });
    const missing = await rejection(bundleReferrers(candidate([own], [one])));
    expect(missing).toMatchObject({ code: "corrupt" });
    const odd = referrerOf(subject, one, { config: { ...described, digest: "sha256:../x" } });
    expect(await bundleReferrers(candidate([odd], [one]))).toEqual([]);
  });
});
