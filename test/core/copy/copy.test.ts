import { describe, expect, test } from "bun:test";

import { gunzipSync } from "node:zlib";

import { type Digest, digestOf, parseDigest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import type { CopyEvent } from "../../../core/copy/events.ts";
import { asFailure, Failure } from "../../../core/failure.ts";
import type { RawManifest } from "../../../core/image/source.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import type { ImageManifest, ListManifest } from "../../../core/manifest/types.ts";
import type { Policy } from "../../../core/trust/gate.ts";
import { copyBetween, type EngineWish } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport, type MemoryWish } from "../../support/memory-transport.ts";
import { blobsOf, sampleImage, sampleList, type Sample } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "copy", format: "oci", layers: ["gzip", "zstd", "none"] });
const list = sampleList({ seed: "copy", format: "oci" });
const docker = sampleImage({ seed: "copy", format: "docker" });

function holding(sample: Sample, wish?: MemoryWish): MemoryTransport {
  const memory = new MemoryTransport(wish);
  memory.add("a", sample);
  return memory;
}

function rawOf(memory: MemoryTransport, name: string, instance = ""): RawManifest {
  const raw = memory.images.get(name)?.manifests.get(instance);
  if (raw === undefined) throw new Error(`no image ${name}`);
  return raw;
}

function keptImage(memory: MemoryTransport, name = "b", instance = ""): ImageManifest {
  const manifest = parseManifest(rawOf(memory, name, instance));
  if (manifest.kind !== "image") throw new Error(`${name} is a list`);
  return manifest;
}

function keptList(memory: MemoryTransport): ListManifest {
  const manifest = parseManifest(rawOf(memory, "b"));
  if (manifest.kind !== "list") throw new Error("b is no list");
  return manifest;
}

async function failureOf(copying: Promise<unknown>): Promise<Failure> {
  const result = await copying.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (result === undefined) throw new Error("the copy did not fail");
  return asFailure(result);
}

function rejecting(...names: readonly string[]): Policy {
  return {
    requirementsFor: () => [
      {
        type: "picky",
        verifiesSignatures: false,
        decide: async (candidate) => {
          const digest = await candidate.digest();
          return names.includes(digest)
            ? { allowed: false, reason: `${digest} is not welcome` }
            : { allowed: true };
        },
      },
    ],
  };
}

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
    expect(ended.map(({ by }) => by)).toEqual(["presence", "presence", "presence", "presence"]);
    expect(events.some(({ kind }) => kind === "blob-moved")).toBe(false);
  });

  test("tells what it does in the order of the work", async () => {
    const { events } = await copyBetween(holding(image), new MemoryTransport());
    const told = events.filter(({ kind }) => kind !== "blob-moved" && kind !== "blob-ended");
    expect(told.map(shown)).toEqual([
      "signatures-sought",
      ...image.layers.map(({ digest }) => `blob-begun ${digest}`),
      `blob-begun ${image.config.digest}`,
      "manifest-begun",
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

  test.each<[string, EngineWish]>([
    ["--preserve-digests", { preserveDigests: true }],
    ["--preserve-digests and a format", { preserveDigests: true, format: manifestTypes.schema2 }],
  ])("keeps every byte with %s", async (_, wish) => {
    const to = new MemoryTransport({ traits: { layers: "compress" } });
    const { digest } = await copyBetween(holding(image), to, wish);
    expect(String(digest)).toBe(image.manifest.digest);
  });

  test("takes what signatures sign as it is, and brings the signatures", async () => {
    const from = new MemoryTransport();
    const signature = new Uint8Array([0x90, 1, 2]);
    from.add("a", image, [signature]);
    const to = new MemoryTransport({ traits: { layers: "compress" } });
    const { digest } = await copyBetween(from, to);
    expect(String(digest)).toBe(image.manifest.digest);
    expect(to.images.get("b")?.signatures.get("")).toEqual([signature]);
  });

  test("refuses to drop signatures silently", async () => {
    const from = new MemoryTransport();
    from.add("a", image, [new Uint8Array([0x90])]);
    const to = new MemoryTransport({ traits: { refusesSignatures: "not here" } });
    const failure = await failureOf(copyBetween(from, to));
    expect(failure.message).toBe("Can not copy signatures to memory:b: not here");
    expect(failure.hint).toContain("--remove-signatures");
    const { events } = await copyBetween(from, to, { signatures: "remove" });
    expect(events.some(({ kind }) => kind.startsWith("signatures"))).toBe(false);
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

describe("copyImages with a list", () => {
  test("takes the image for the platform", async () => {
    const to = new MemoryTransport();
    const { digest } = await copyBetween(holding(list), to);
    const wanted = parseManifest(list.manifest);
    if (wanted.kind !== "list") throw new Error("no list");
    const mine = wanted.instances.find(({ platform }) => platform?.architecture === "amd64");
    expect(digest).toBe(mine?.digest as Digest);
  });

  test("takes all of it, byte for byte", async () => {
    const to = new MemoryTransport();
    const { digest, events } = await copyBetween(holding(list), to, { images: "all" });
    expect(String(digest)).toBe(list.manifest.digest);
    expect(keptList(to).instances.length).toBe(list.images.length);
    for (const { manifest } of list.images) keptImage(to, "b", manifest.digest);
    expect(events.find(({ kind }) => kind === "list-begun")).toMatchObject({
      chosen: list.images.length,
      listed: list.images.length,
    });
  });

  test("takes the list alone", async () => {
    const to = new MemoryTransport();
    await copyBetween(holding(list), to, { images: "index-only" });
    expect([...(to.images.get("b")?.manifests.keys() ?? [])]).toEqual([""]);
    expect(to.blobs.size).toBe(0);
  });

  test("names images by the digests that they have after a conversion", async () => {
    const from = holding(sampleList({ seed: "converted", format: "docker" }));
    const to = new MemoryTransport({
      traits: { manifestTypes: [manifestTypes.oci, manifestTypes.ociIndex] },
    });
    await copyBetween(from, to, { images: "all" });
    const written = keptList(to);
    expect(written.mediaType).toBe(manifestTypes.ociIndex);
    for (const { digest, size } of written.instances) {
      expect(to.images.get("b")?.manifests.get(digest)?.bytes.length).toBe(size ?? -1);
    }
  });

  test("G1 refuses all of it when one of its images is refused", async () => {
    const to = new FaultyTransport(new MemoryTransport());
    const refused = list.images[1]?.manifest.digest ?? "";
    const copying = copyBetween(holding(list), to, { images: "all", policy: rejecting(refused) });
    const failure = await failureOf(copying);
    expect(failure.code).toBe("rejected");
    expect(failure.message).toContain("from manifest list: Source image rejected: ");
    expect(to.operations).toEqual([]);
  });

  test("G1 asks about a list that travels alone", async () => {
    const to = new FaultyTransport(new MemoryTransport());
    const policy = rejecting(list.manifest.digest);
    const alone = copyBetween(holding(list), to, { images: "index-only", policy });
    expect((await failureOf(alone)).code).toBe("rejected");
    expect(to.operations).toEqual([]);
    await copyBetween(holding(list), to, { images: "all", policy });
  });

  test("says which destinations hold no lists", async () => {
    const to = new MemoryTransport({ traits: { holdsLists: false } });
    const failure = await failureOf(copyBetween(holding(list), to, { images: "all" }));
    expect(failure.message).toBe(
      'copying multiple images: destination transport "memory" does not support copying multiple images as a group',
    );
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
