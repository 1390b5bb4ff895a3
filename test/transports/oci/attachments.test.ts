import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { encodeSignatureBlob } from "../../../core/content/signature-blob.ts";
import type { Transport } from "../../../core/image/transport.ts";
import {
  PendingAttachments,
  readAttachments,
  withoutSignatures,
} from "../../../transports/oci/attachments.ts";
import {
  emptyIndex,
  parseIndex,
  selectImage,
  withImage,
} from "../../../transports/oci/index-json.ts";
import { ociArchive } from "../../../transports/oci/archive/reference.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { attachmentTag } from "../../../transports/shared/attachments.ts";
import { putSample } from "../../support/carry.ts";
import { hexOf, type SampleImage, sampleImage } from "../../support/sample-images.ts";
import { sigstoreSignature } from "../../support/sigstore.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ seed: "image", format: "oci", ballastBytes: 100 });
const other = sampleImage({ seed: "other", format: "oci", ballastBytes: 100 });
const of = (sample: SampleImage) => ({ digest: parseDigest(sample.manifest.digest) });
const [one, two] = [sigstoreSignature(), sigstoreSignature()].map(encodeSignatureBlob) as [
  Uint8Array,
  Uint8Array,
];

const described = (digest: Digest) => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest,
  size: 1,
});

const wish = { image: of(image).digest, listsBundles: true };

/** A few blobs by digest. */
function memory() {
  const blobs = new Map<Digest, Uint8Array>();
  const reader = {
    hasBlob: (digest: Digest) => blobs.has(digest),
    openBlob: async function* (digest: Digest) {
      yield blobs.get(digest) ?? new Uint8Array();
    },
  };
  return {
    blobs,
    reader,
    ...reader,
    put: async ({ digest, bytes }: { digest: Digest; bytes: Uint8Array }) =>
      void blobs.set(digest, bytes),
  };
}

describe("PendingAttachments", () => {
  test("adds to what is there, under one name", async () => {
    const kept = memory();
    const pending = new PendingAttachments();
    const { digest } = of(image);
    pending.addSignatures(described(digest), [one]);
    const first = await pending.addTo(emptyIndex, wish, kept);
    pending.addSignatures(described(digest), [two]);
    const second = await pending.addTo(first, wish, kept);
    expect(second.entries.map(({ name }) => name)).toEqual([attachmentTag(digest)]);
    expect(await readAttachments(second, digest, kept)).toEqual([one, two]);
    expect(await pending.addTo(second, wish, kept)).toBe(second);
  });

  test("notices blobs that are not what they are called", async () => {
    const kept = memory();
    const pending = new PendingAttachments();
    const { digest } = of(image);
    pending.addSignatures(described(digest), [one]);
    const index = await pending.addTo(emptyIndex, wish, kept);
    for (const key of kept.blobs.keys()) kept.blobs.set(key, new Uint8Array([1]));
    expect(readAttachments(index, digest, kept)).rejects.toMatchObject({ code: "corrupt" });
  });

  test("takes no others than those of a known form", () => {
    expect(() =>
      new PendingAttachments().addSignatures(described(of(image).digest), [Uint8Array.of(1)]),
    ).toThrow("unrecognized signature format");
  });
});

test("an index has no signatures of what is gone, and keeps those of others", () => {
  const [gone, stays] = [image, other].map((sample) => of(sample).digest) as [Digest, Digest];
  const named = [gone, stays].reduce(
    (index, digest) =>
      withImage(
        index,
        { mediaType: "a/b", digest: digestOf(Buffer.from(digest)) },
        attachmentTag(digest),
      ),
    emptyIndex,
  );
  const { entries } = withoutSignatures(named, [gone]);
  expect(entries.map(({ name }) => name)).toEqual([attachmentTag(stays)]);
});

const places: readonly (readonly [Transport, string])[] = [
  [oci, "layout"],
  [ociArchive, "a.tar"],
];

describe.each(places)("%p", (transport, path) => {
  const context = transportContext({
    settings: { oci: { appends: true } },
  });
  const open = (workspace: Workspace, name: string) =>
    transport.parseReference(`${workspace.at(path)}:${name}`);

  async function write(
    workspace: Workspace,
    name: string,
    { sample, signatures }: { sample: SampleImage; signatures: readonly Uint8Array[] },
  ): Promise<void> {
    await using destination = await open(workspace, name).openDestination(context);
    await putSample(destination, sample);
    await destination.putSignatures(signatures, of(sample));
    await destination.commit();
  }

  async function read(workspace: Workspace, name: string, sample: SampleImage) {
    await using source = await open(workspace, name).openSource(context);
    return await source.readSignatures(of(sample));
  }

  test("keeps the signatures of several images, and adds to them", async () => {
    using workspace = new Workspace();
    await write(workspace, "a", { sample: image, signatures: [one] });
    await write(workspace, "b", { sample: other, signatures: [two] });
    await write(workspace, "c", { sample: image, signatures: [two, one] });
    expect(await read(workspace, "a", image)).toEqual([one, two]);
    expect(await read(workspace, "b", other)).toEqual([two]);
  });

  test("is read without a name where there is one image and its signatures", async () => {
    using workspace = new Workspace();
    await write(workspace, "a", { sample: image, signatures: [one] });
    expect(await read(workspace, "", image)).toEqual([one]);
  });

  test("lets signatures go by their own name", async () => {
    using workspace = new Workspace();
    await write(workspace, "a", { sample: image, signatures: [one] });
    await using source = await open(workspace, attachmentTag(of(image).digest)).openSource(context);
    const { bytes } = await source.readManifest();
    expect(JSON.parse(new TextDecoder().decode(bytes)).layers).toHaveLength(1);
  });
});

test("F5: signatures of an image that was not committed leave nothing", async () => {
  using workspace = new Workspace();
  const context = transportContext();
  {
    const reference = oci.parseReference(`${workspace.at("layout")}:a`);
    await using destination = await reference.openDestination(context);
    await putSample(destination, image);
    await destination.putSignatures([one], of(image));
  }
  expect(readdirSync(workspace.path)).toEqual([]);
});

test("deleting an image takes its signatures along, and nobody else's", async () => {
  using workspace = new Workspace();
  const context = transportContext();
  for (const [name, sample] of [
    ["a", image],
    ["b", other],
  ] as const) {
    const reference = oci.parseReference(`${workspace.at("layout")}:${name}`);
    await using destination = await reference.openDestination(context);
    await putSample(destination, sample);
    await destination.putSignatures([one], of(sample));
    await destination.commit();
  }
  await oci.parseReference(`${workspace.at("layout")}:a`).deleteImage?.(context);
  const index = JSON.parse(readFileSync(workspace.at("layout", "index.json"), "utf8"));
  expect(index.manifests).toHaveLength(2);
  const blobs = readdirSync(workspace.at("layout", "blobs", "sha256"));
  expect(blobs).not.toContain(hexOf(image.manifest.digest));
  // The other image, and its manifest, config and payload of signatures.
  expect(blobs).toHaveLength(2 + other.layers.length + 3);
});

test("an archive that loses an image loses its signatures, too", async () => {
  using workspace = new Workspace();
  const context = transportContext({ settings: { oci: { appends: true } } });
  for (const sample of [image, other]) {
    const reference = ociArchive.parseReference(`${workspace.at("a.tar")}:a`);
    await using destination = await reference.openDestination(context);
    await putSample(destination, sample);
    await destination.putSignatures([one], of(sample));
    await destination.commit();
  }
  const { stdout } = Bun.spawnSync(["tar", "-tf", workspace.at("a.tar")]);
  const names = stdout.toString().split("\n");
  expect(names).not.toContain(`blobs/sha256/${hexOf(image.manifest.digest)}`);
  const reference = ociArchive.parseReference(`${workspace.at("a.tar")}:a`);
  await using source = await reference.openSource(context);
  expect(await source.readSignatures(of(other))).toEqual([one]);
  expect(await source.readSignatures(of(image))).toEqual([]);
});

test("signatures are read from a layout that cosign saved, if it is clear whose they are", async () => {
  const kept = memory();
  const pending = new PendingAttachments();
  const { digest } = of(image);
  pending.addSignatures(described(digest), [one]);
  const added = await pending.addTo(emptyIndex, wish, kept);
  const kind = (name: string) => ({ kind: `dev.cosignproject.cosign/${name}` });
  const entry = (digest: string, name: string) => ({
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest,
    size: 1,
    annotations: kind(name),
  });
  const sigs = entry(added.entries[0]?.digest ?? "", "sigs");
  const indexOf = (...manifests: readonly object[]) =>
    parseIndex(new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests })));
  const saved = indexOf(entry(digest, "image"), sigs);
  expect(await readAttachments(saved, digest, kept)).toEqual([one]);
  expect(selectImage(saved, { by: "itself" }).digest).toBe(digest);
  const stranger = of(other).digest;
  expect(await readAttachments(saved, stranger, kept)).toEqual([]);
  const two = indexOf(entry(digest, "image"), entry(stranger, "image"), sigs);
  expect(await readAttachments(two, digest, kept)).toEqual([]);
});

test("signatures of a list's images are not marked as what the layout is about", async () => {
  const kept = memory();
  const [list, instance] = [of(image).digest, of(other).digest];
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const pending = new PendingAttachments();
  for (const digest of [instance, list]) pending.addSignatures(described(digest), [one]);
  const listed = withImage(emptyIndex, { mediaType, digest: list, size: 1 }, "l");
  const { entries } = await pending.addTo(listed, wish, kept);
  expect(entries.map(({ json }) => Object(json["annotations"])["kind"])).toEqual([
    "dev.cosignproject.cosign/imageIndex",
    undefined,
    "dev.cosignproject.cosign/sigs",
  ]);
});

test("signatures stay in their place in the index when others are added", async () => {
  const kept = memory();
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", size: 1 };
  const [first, second] = [of(image).digest, of(other).digest];
  let index = withImage(emptyIndex, { ...entry, digest: first }, "a");
  for (const digest of [first, second, first]) {
    const pending = new PendingAttachments();
    pending.addSignatures(
      described(digest),
      digest === first && index.entries.length > 1 ? [one, two] : [one],
    );
    index = await pending.addTo(index, wish, kept);
    if (index.entries.length === 2) index = withImage(index, { ...entry, digest: second }, "b");
  }
  expect(index.entries.map(({ name }) => name)).toEqual([
    "a",
    attachmentTag(first),
    "b",
    attachmentTag(second),
  ]);
  expect(index.entries.map(({ json }) => json["annotations"])).toMatchObject([
    { kind: "dev.cosignproject.cosign/image" },
    { kind: "dev.cosignproject.cosign/sigs" },
    { kind: "dev.cosignproject.cosign/image" },
    { kind: "dev.cosignproject.cosign/sigs" },
  ]);
  expect(await readAttachments(index, first, kept)).toEqual([one, two]);
});

test("selectImage passes over signatures", () => {
  const { digest } = of(image);
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 1 };
  const signed = { ...entry, digest: of(other).digest };
  const index = withImage(withImage(emptyIndex, entry), signed, attachmentTag(digest));
  expect(selectImage(index, { by: "itself" }).digest).toBe(digest);
});
