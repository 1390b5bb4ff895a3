import { describe, expect, test } from "bun:test";

import { gunzipSync } from "node:zlib";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { CopyEvent } from "../../../core/copy/events.ts";
import { asFailure, Failure } from "../../../core/failure.ts";
import {
  copyBetween,
  failureOf,
  holding,
  keptImage,
  rawOf,
  rejecting,
} from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { blobsOf, sampleImage, sampleList } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "copy", format: "oci", layers: ["gzip", "zstd", "none"] });
const list = sampleList({ seed: "copy", format: "oci" });
const docker = sampleImage({ seed: "copy", format: "docker" });

describe("copyImages", () => {
  test("carries an image byte for byte where nothing has to change", async () => {
    const to = new MemoryTransport();
    const { digest } = await copyBetween(holding(image), to);
    expect(String(digest)).toBe(image.manifest.digest);
    for (const { digest: blob, bytes } of blobsOf(image)) {
      expect(to.blobs.get(parseDigest(blob))).toEqual(bytes);
    }
    expect(to.images.get("b")?.manifests.get("")?.bytes).toEqual(image.manifest.bytes);
  });

  test("moves nothing that the destination has", async () => {
    const to = holding(image);
    const { events } = await copyBetween(holding(image), to);
    const ended = events.filter((event) => event.kind === "blob-ended");
    expect(ended.map(({ outcome }) => outcome)).toEqual(Array(4).fill("reused"));
    expect(events.some(({ kind }) => kind === "blob-moved")).toBe(false);
  });

  test("tells what it does in the order of the work", async () => {
    const { events } = await copyBetween(holding(image), new MemoryTransport());
    const told = events.filter(({ kind }) => kind !== "blob-moved" && kind !== "blob-ended");
    expect(told.map(shown)).toEqual([
      "copy-begun",
      `policy-decided ${image.manifest.digest}`,
      "signatures-sought",
      `image-planned ${image.manifest.digest}`,
      ...image.layers.map(({ digest }) => `blob-begun ${digest}`),
      `blob-begun ${image.config.digest}`,
      "manifest-begun",
      `manifest-written ${image.manifest.digest}`,
      `copy-ended ${image.manifest.digest}`,
    ]);
  });

  test("compresses what is plain where the destination wants it, and names it so", async () => {
    const to = new MemoryTransport({ traits: { layers: "compress" } });
    await copyBetween(holding(image), to);
    const [gzip, zstd, plain] = keptImage(to).layers;
    expect(String(gzip?.digest)).toBe(image.layers[0]?.digest ?? "");
    expect(String(zstd?.digest)).toBe(image.layers[1]?.digest ?? "");
    expect(plain?.mediaType).toEndWith(".tar+gzip");
    const packed = to.blobs.get(plain?.digest as Digest) as Uint8Array;
    expect(packed.length).toBe(plain?.size ?? -1);
    expect(String(digestOf(gunzipSync(packed)))).toBe(image.diffIds[2] ?? "");
  });

  test("C5 decompresses to exactly what the config names", async () => {
    const to = new MemoryTransport({ traits: { layers: "decompress" } });
    await copyBetween(holding(image), to);
    const { layers } = keptImage(to);
    expect(layers.map(({ digest }) => String(digest))).toEqual([...image.diffIds]);
    expect(layers.every(({ mediaType }) => mediaType.endsWith(".tar"))).toBe(true);
  });

  test.each([
    ["compress", ["none"]],
    ["decompress", ["gzip"]],
  ] as const)("C5 refuses to %s a layer that the config does not name", async (layers, kinds) => {
    const from = holding(sampleImage({ seed: "other", layers: kinds }));
    const honest = sampleImage({ seed: "honest", layers: kinds });
    from.add("honest", honest);
    const manifest = JSON.parse(new TextDecoder().decode(rawOf(from, "a").bytes));
    const { config } = JSON.parse(new TextDecoder().decode(honest.manifest.bytes));
    const bytes = new TextEncoder().encode(JSON.stringify({ ...manifest, config }));
    const raw = { bytes, mediaType: honest.manifest.mediaType };
    from.images.set("a", { manifests: new Map([["", raw]]), signatures: new Map() });
    const to = new MemoryTransport({ traits: { layers } });
    const failure = await failureOf(copyBetween(from, to));
    expect(failure.code).toBe("corrupt");
    expect(failure.message).toContain("is not the content that the image's config names");
    expect(to.images.size).toBe(0);
  });

  test("converts the format, and falls back in the planned order", async () => {
    const to = new MemoryTransport({
      traits: { manifestTypes: [manifestTypes.oci, manifestTypes.ociIndex] },
    });
    const { manifest } = await copyBetween(holding(docker), to);
    expect(manifest.mediaType).toBe(manifestTypes.oci);
    const { config, layers } = keptImage(to);
    expect(to.blobs.has(config?.digest as Digest)).toBe(true);
    expect(layers.map(({ digest }) => String(digest))).toEqual(docker.layers.map((l) => l.digest));
  });

  test("lists every attempt where no type is taken", async () => {
    const fussy = new MemoryTransport({
      traits: { manifestTypes: [manifestTypes.oci, manifestTypes.schema2] },
    });
    const refusing = new FussyTransport(fussy);
    const failure = await failureOf(copyBetween(holding(image), refusing));
    expect(failure.message).toStartWith(
      "Uploading manifest failed, attempted the following formats: ",
    );
    expect(failure.message).toContain(`${manifestTypes.oci}(`);
  });

  test("reads a blob once more that came out wrong once", async () => {
    const from = holding(image);
    const [layer] = image.layers;
    const digest = parseDigest(layer?.digest ?? "");
    const honest = from.blobs.get(digest) as Uint8Array;
    let wrong = true;
    from.blobs.get = (wanted) => {
      if (wanted !== digest || !wrong) return Map.prototype.get.call(from.blobs, wanted);
      wrong = false;
      return honest.with(3, honest[3]! ^ 1);
    };
    const to = new MemoryTransport();
    const { events } = await copyBetween(from, to);
    expect(events.filter(({ kind }) => kind === "blob-restarted").length).toBe(1);
    expect(to.blobs.get(digest)).toEqual(honest);
  });

  test("gives a blob up that comes out wrong twice, and publishes nothing", async () => {
    const from = holding(image);
    const digest = parseDigest(image.layers[0]?.digest ?? "");
    from.blobs.set(digest, new Uint8Array(image.layers[0]?.bytes.length ?? 0));
    const to = new MemoryTransport();
    const failure = await failureOf(copyBetween(from, to));
    expect(failure.message).toContain(`Digest did not match, expected ${digest}, got sha256:`);
    expect(to.images.size).toBe(0);
    expect(to.blobs.has(digest)).toBe(false);
  });

  test("G1 writes nothing when a rule rejects it, and does not even open the destination", async () => {
    const to = new FaultyTransport(new MemoryTransport());
    const copying = copyBetween(holding(image), to, { policy: rejecting(image.manifest.digest) });
    const failure = await failureOf(copying);
    expect(failure).toMatchObject({ code: "rejected" });
    expect(failure.message).toStartWith("Source image rejected: ");
    expect(to.operations).toEqual([]);
  });
});

describe("copyImages, made to fail at the n-th operation", () => {
  test.each([
    ["an image", image, "system"],
    ["a list", list, "all"],
  ] as const)("leaves the earlier image under its name: %s", async (_, sample, images) => {
    const earlier = sampleImage({ seed: "earlier" });
    for (let at = 1; ; at++) {
      const from = holding(sample);
      const into = new MemoryTransport();
      into.add("b", earlier);
      const failing = [new FaultyTransport(from, at), new FaultyTransport(into, at)] as const;
      const reading = await copyBetween(failing[0], into, { images }).catch(asFailure);
      if (failing[0].failed) expect(reading).toMatchObject({ code: "io" });
      const fresh = new MemoryTransport();
      fresh.add("b", earlier);
      const writing = new FaultyTransport(fresh, at);
      const written = await copyBetween(from, writing, { images }).catch(asFailure);
      if (!writing.failed && !failing[0].failed) break;
      if (!writing.failed) continue;
      expect(written).toMatchObject({ code: "io" });
      expect(fresh.images.get("b")?.manifests.get("")?.bytes).toEqual(earlier.manifest.bytes);
    }
  });
});

/** Takes no manifest at all. */
class FussyTransport extends FaultyTransport {
  override parseReference(text: string) {
    const reference = super.parseReference(text);
    return {
      ...reference,
      openDestination: async (context: Parameters<typeof reference.openDestination>[0]) => {
        const inner = await reference.openDestination(context);
        return Object.assign(inner, {
          putManifest: () => Promise.reject(new Failure("unsupported", "not of this type")),
        });
      },
    };
  }
}

function shown(event: CopyEvent): string {
  return "digest" in event ? `${event.kind} ${event.digest}` : event.kind;
}
