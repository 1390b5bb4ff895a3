import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { limits } from "../../../core/limits.ts";
import { ociArchive } from "../../../transports/oci/archive/reference.ts";
import { parseIndex } from "../../../transports/oci/index-json.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { withSavedEntries } from "../../../transports/oci/saved.ts";
import { bundleOf, bundleType, referrerOf } from "../../support/bundles.ts";
import { hexOf, sampleImage, writeLayout } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ layers: [], format: "oci" });
const digest = parseDigest(image.manifest.digest);
const referrer = referrerOf({ digest, size: 1 }, bundleOf());
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const saved = {
  mediaType,
  digest,
  size: 1,
  annotations: { kind: "dev.cosignproject.cosign/image" },
};

const indexOf = (...manifests: readonly object[]) =>
  parseIndex(new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests })));

function blobsOf(...contents: readonly Uint8Array[]) {
  const blobs = new Map(contents.map((bytes) => [digestOf(bytes), bytes]));
  return {
    smallBlobs: (limitBytes: number) =>
      [...blobs].flatMap(([each, { length }]) => (length <= limitBytes ? each : [])),
    readManifest: async (each: Digest) => blobs.get(each) ?? new Uint8Array(),
  };
}

describe("withSavedEntries", () => {
  test("finds what is about an image in a layout that cosign has saved", async () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const others = [
      image.manifest.bytes,
      referrerOf({ digest: `sha256:${"1".repeat(64)}`, size: 1 }, bundleOf()),
      text(`no JSON ${digest}`),
      text(JSON.stringify({ subject: digest })),
      text(JSON.stringify({ subject: { digest } })),
      text(JSON.stringify({ subject: { digest }, artifactType: "a/b", x: "y".repeat(70_000) })),
    ];
    const older = text(JSON.stringify({ subject: { digest }, config: { mediaType: bundleType } }));
    const blobs = blobsOf(...others, referrer, older);
    const { entries } = await withSavedEntries(indexOf(saved), digest, blobs);
    expect(entries.slice(1).map((each) => each.digest)).toEqual([
      digestOf(referrer),
      digestOf(older),
    ]);
    expect(entries[1]?.json).toMatchObject({ artifactType: bundleType, size: referrer.length });
  });

  test.each([
    [
      "has a name",
      [
        {
          ...saved,
          annotations: { ...saved.annotations, "org.opencontainers.image.ref.name": "x" },
        },
      ],
    ],
    ["is not of a kind", [saved, { mediaType, digest, size: 1 }]],
    ["is missing", []],
  ])("looks at no blob where something %s", async (_, manifests) => {
    const index = indexOf(...manifests);
    const blobs = { ...blobsOf(referrer), smallBlobs: () => expect.unreachable() };
    expect(await withSavedEntries(index, digest, blobs)).toBe(index);
  });
});

describe("a layout that cosign has saved", () => {
  test.each([
    ["a directory", oci],
    ["an archive", ociArchive],
  ])("gives out bundles, in %s", async (_, transport) => {
    using workspace = new Workspace();
    writeLayout(workspace.at("layout"), { x: image });
    writeFileSync(
      workspace.at("layout", "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [saved] }),
    );
    const directory = workspace.at("layout", "blobs", "sha256");
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/${hexOf(digestOf(referrer))}`, referrer);
    if (transport === ociArchive) {
      Bun.spawnSync(["tar", "-cf", workspace.at("a.tar"), "-C", workspace.at("layout"), "."]);
    } else {
      symlinkSync("/etc/passwd", `${directory}/${"a".repeat(64)}`);
      writeFileSync(`${directory}/odd`, "odd");
      writeFileSync(`${directory}/${"b".repeat(64)}`, "x".repeat(limits.savedManifestBytes + 1));
    }
    const path = workspace.at(transport === oci ? "layout" : "a.tar");
    await using source = await transport.parseReference(path).openSource(transportContext());
    expect(await source.readReferrers?.(digest, bundleType)).toEqual([
      { bytes: new Uint8Array(referrer), mediaType },
    ]);
  });
});
