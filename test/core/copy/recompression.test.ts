import { describe, expect, test } from "bun:test";

import { collect } from "../../../core/blob/collect.ts";
import { decompressed, detectCompression } from "../../../core/blob/decompress.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { isChunked } from "../../../core/content/chunked-layer.ts";
import { digestOf } from "../../../core/content/digest.ts";
import {
  compressionOfType,
  layerFamilies,
  manifestTypes,
} from "../../../core/content/media-types.ts";
import { diffIdsOf } from "../../../core/manifest/config.ts";
import { readTrailer } from "../../support/chunked-layer.ts";
import { copyBetween, type EngineWish, holding, keptImage } from "../../support/engine.ts";
import { MemoryTransport, type MemoryWish } from "../../support/memory-transport.ts";
import { randomBytes } from "../../support/random.ts";
import {
  imageOf,
  mediaTypes,
  sampleConfig,
  type SampleImage,
  sampleImage,
} from "../../support/sample-images.ts";
import { tarOf } from "../../support/tar-bytes.ts";

const { oci, schema1Signed, schema2 } = manifestTypes;
const image = sampleImage({
  seed: "recompressed",
  format: "oci",
  layers: ["gzip", "zstd", "none"],
});

/** Returns how the layers of an image are compressed, by their types, which have to tell the truth. */
function compressionsIn(memory: MemoryTransport): (string | undefined)[] {
  return keptImage(memory).layers.map(({ mediaType, digest }) => {
    const told = compressionOfType(mediaType);
    expect(detectCompression(memory.blobs.get(digest) ?? new Uint8Array())).toBe(told ?? "none");
    return told;
  });
}

/** Checks that every layer of an image holds what its config says. */
async function checkContents(memory: MemoryTransport, diffIds: readonly string[]): Promise<void> {
  const { layers, config } = keptImage(memory);
  const contents = layers.map(async ({ digest }) => {
    const bytes = memory.blobs.get(digest) ?? new Uint8Array();
    const unpack = decompressed(detectCompression(bytes));
    return digestOf(await collect(unpack(streamOf(bytes)), 10_000_000));
  });
  expect(await Promise.all(contents)).toEqual(diffIds as never);
  if (config === undefined) return;
  expect(diffIdsOf(config, memory.blobs.get(config.digest) ?? new Uint8Array())).toEqual(
    diffIds as never,
  );
}

const compress: MemoryWish = { traits: { layers: "compress" } };

describe("copyImage with a compression", () => {
  test.each<[string, MemoryWish, EngineWish["compression"], readonly string[]]>([
    [
      "compresses only what is not, with nothing asked",
      compress,
      undefined,
      ["gzip", "zstd", "gzip"],
    ],
    [
      "does the same with a level alone",
      compress,
      { level: 1, exclusive: false },
      ["gzip", "zstd", "gzip"],
    ],
    [
      "makes all of it gzip",
      compress,
      { format: "gzip", exclusive: false },
      ["gzip", "gzip", "gzip"],
    ],
    [
      "makes all of it zstd",
      compress,
      { format: "zstd", exclusive: false },
      ["zstd", "zstd", "zstd"],
    ],
    [
      "leaves all of it where layers are kept",
      {},
      { format: "zstd", exclusive: false },
      ["gzip", "zstd", "none"],
    ],
    [
      "unpacks all of it where layers are unpacked",
      { traits: { layers: "decompress" } },
      { format: "gzip", exclusive: true },
      ["none", "none", "none"],
    ],
  ])("%s", async (_, wish, compression, expected) => {
    const to = new MemoryTransport(wish);
    await copyBetween(holding(image), to, compression && { compression });
    expect(compressionsIn(to)).toEqual([...expected]);
    await checkContents(to, image.diffIds);
  });

  test("leaves what is compressed as asked byte for byte", async () => {
    const to = new MemoryTransport(compress);
    await copyBetween(holding(image), to, { compression: { format: "zstd", exclusive: true } });
    expect(String(keptImage(to).layers[1]?.digest)).toBe(image.layers[1]?.digest ?? "");
  });

  test("takes what the destination has, in any format, unless one is insisted on", async () => {
    const wish = (exclusive: boolean) => ({ compression: { format: "zstd", exclusive } as const });
    const to = new MemoryTransport(compress);
    await copyBetween(holding(image), to);
    await copyBetween(holding(image), to, wish(false));
    expect(compressionsIn(to)).toEqual(["gzip", "zstd", "zstd"]);
    await copyBetween(holding(image), to, wish(true));
    expect(compressionsIn(to)).toEqual(["zstd", "zstd", "zstd"]);
  });

  test("asks for what stands in for a layer where the layer itself would not do", async () => {
    const asked: unknown[] = [];
    const to = new (class extends MemoryTransport {
      override parseReference(text: string) {
        const reference = super.parseReference(text);
        const open = async (context: Parameters<typeof reference.openDestination>[0]) =>
          Object.assign(await reference.openDestination(context), {
            reuseStandIn: async (wanted: { digest: string }, standIns: { forms: unknown }) => {
              asked.push([wanted.digest, standIns.forms]);
            },
          });
        return { ...reference, openDestination: open as typeof reference.openDestination };
      }
    })(compress);
    await copyBetween(holding(image), to, { compression: { format: "zstd", exclusive: true } });
    const [first, , third] = image.layers;
    expect(asked).toEqual([
      [first?.digest, ["zstd"]],
      [third?.digest, ["zstd"]],
    ]);
  });

  /** The usual samples have a name that is no text, for which a table of contents has no words. */
  function describable(format: "docker" | "oci"): SampleImage {
    const bytes = tarOf([{ path: "a", body: Buffer.from("some text") }]);
    const packed = Bun.gzipSync(Buffer.from(bytes));
    const layer = { mediaType: mediaTypes[format].gzip, bytes: packed, digest: digestOf(packed) };
    const diffIds = [digestOf(bytes)];
    return imageOf(format, sampleConfig(format, diffIds), [layer], diffIds);
  }

  test("says in the manifest what is chunked, and no more when it is not", async () => {
    const said = ({ layers }: ReturnType<typeof keptImage>) => layers.map(isChunked);
    const plain = describable("oci");
    const to = new MemoryTransport(compress);
    const chunked = { format: "zstd:chunked", exclusive: true } as const;
    await copyBetween(holding(plain), to, { to: "a", compression: chunked });
    expect(said(keptImage(to, "a"))).toEqual([true]);
    for (const [index, layer] of keptImage(to, "a").layers.entries()) {
      const bytes = to.blobs.get(layer.digest) ?? new Uint8Array();
      expect(readTrailer(bytes, layer.annotations ?? {}).entries.length).toBeGreaterThan(0);
      expect(layer.digest).not.toBe(plain.layers[index]?.digest as never);
    }
    // What is chunked is zstd, too: it stays as it is where either is asked for.
    for (const compression of [chunked, { format: "zstd", exclusive: true } as const]) {
      const same = new MemoryTransport(compress);
      await copyBetween(to, same, { compression });
      expect(keptImage(same).layers).toEqual(keptImage(to, "a").layers);
    }
    const back = new MemoryTransport(compress);
    await copyBetween(to, back, { compression: { format: "gzip", exclusive: false } });
    expect(said(keptImage(back))).toEqual([false]);
    expect(keptImage(back).layers.map(({ annotations }) => annotations)).toEqual([undefined]);
    await checkContents(back, plain.diffIds);
  });

  test("keeps what is chunked chunked when a Docker image becomes an OCI one", async () => {
    const to = new MemoryTransport(compress);
    const compression = { format: "zstd:chunked", exclusive: false } as const;
    await copyBetween(holding(describable("docker")), to, { compression });
    expect(keptImage(to).mediaType).toBe(oci);
    expect(keptImage(to).layers.map(isChunked)).toEqual([true]);
  });

  test("converts a Docker image for zstd, and an image of zstd for Docker", async () => {
    const docker = sampleImage({ seed: "docker", layers: ["gzip", "none"] });
    const middle = new MemoryTransport(compress);
    await copyBetween(holding(docker), middle, {
      to: "a",
      compression: { format: "zstd", exclusive: false },
    });
    expect(keptImage(middle, "a").mediaType).toBe(oci);
    expect(keptImage(middle, "a").layers.map(({ mediaType }) => mediaType)).toEqual([
      layerFamilies.oci.zstd,
      layerFamilies.oci.zstd,
    ]);
    const back = new MemoryTransport(compress);
    await copyBetween(middle, back, {
      format: schema2,
      compression: { format: "gzip", exclusive: false },
    });
    expect(compressionsIn(back)).toEqual(["gzip", "gzip"]);
    await checkContents(back, docker.diffIds);
  });

  /** One layer that is called a gzip one, whatever it is, beside one that will be compressed. */
  function mislabeled(format: "docker" | "oci", bytes: Uint8Array): SampleImage {
    const { layers, diffIds } = sampleImage({ seed: "beside", format, layers: ["none"] });
    const layer = { mediaType: mediaTypes[format].gzip, bytes, digest: digestOf(bytes) };
    const content = digestOf(Bun.zstdDecompressSync(Buffer.from(bytes)));
    const all = [content, ...diffIds];
    return imageOf(format, sampleConfig(format, all), [layer, ...layers], all);
  }

  test("gives a layer its right type where the manifest is written anew", async () => {
    const bytes = Bun.zstdCompressSync("some text");
    const to = new MemoryTransport(compress);
    await copyBetween(holding(mislabeled("oci", bytes)), to);
    expect(compressionsIn(to)).toEqual(["zstd", "gzip"]);
    expect(String(keptImage(to).layers[0]?.digest)).toBe(digestOf(bytes));
    // Docker's format has no word for it.
    const docker = new MemoryTransport(compress);
    await copyBetween(holding(mislabeled("docker", bytes)), docker);
    expect(keptImage(docker).mediaType).toBe(oci);
    expect(compressionsIn(docker)).toEqual(["zstd", "gzip"]);
  });

  test("leaves a layer its wrong type where nothing else changes", async () => {
    const wrong = mislabeled("oci", Bun.zstdCompressSync("some text"));
    const to = new MemoryTransport();
    await copyBetween(holding(wrong), to);
    expect(keptImage(to).raw.bytes).toEqual(wrong.manifest.bytes);
  });

  test("compresses layers of which the config says nothing", async () => {
    const [layer] = sampleImage({ seed: "silent", format: "oci", layers: ["none"] }).layers;
    if (layer === undefined) throw new Error("no layer");
    const bytes = new TextEncoder().encode("{}");
    const config = { mediaType: mediaTypes.oci.config, bytes, digest: digestOf(bytes) };
    const to = new MemoryTransport(compress);
    await copyBetween(holding(imageOf("oci", config, [layer], [])), to);
    expect(compressionsIn(to)).toEqual(["gzip"]);
  });

  test("refuses a level that gzip does not have, before anything is read", async () => {
    const to = new MemoryTransport(compress);
    const copying = copyBetween(holding(image), to, {
      compression: { level: 10, exclusive: false },
    });
    await expect(copying).rejects.toThrow("gzip: invalid compression level: 10");
  });
});

describe("a chain of copies", () => {
  const wishes: readonly (readonly [string, MemoryWish, EngineWish])[] = [
    ["kept", {}, {}],
    ["gzip", compress, { compression: { format: "gzip", exclusive: true, level: 1 } }],
    ["zstd", compress, { compression: { format: "zstd", exclusive: true } }],
    ["chunked", compress, { compression: { format: "zstd:chunked", exclusive: true } }],
    ["unpacked", { traits: { layers: "decompress" } }, {}],
    ["schema 2", compress, { format: schema2, compression: { format: "gzip", exclusive: true } }],
    ["oci", compress, { format: oci }],
    [
      "schema 1",
      compress,
      { format: schema1Signed, compression: { format: "gzip", exclusive: true } },
    ],
  ];

  test.each([1, 2, 3, 4, 5, 6])(
    "keeps every diffID, whatever happens on the way (seed %d)",
    async (seed) => {
      const start = sampleImage({
        seed: `chain ${seed}`,
        format: seed % 2 === 0 ? "docker" : "oci",
        layers: ["gzip", "none", seed % 2 === 0 ? "gzip" : "zstd"],
      });
      let from = holding(start);
      const way: string[] = [];
      for (const byte of randomBytes(`way ${seed}`, 7)) {
        const [name, wish, engine] = wishes[byte % wishes.length] ?? ["", {}, {}];
        way.push(name);
        const to = new MemoryTransport({ ...wish, chunkBytes: 1 + (byte << 4) });
        await copyBetween(from, to, { ...engine, to: "a" }).catch((error: unknown) => {
          throw new Error(`on the way ${way.join(", ")}: ${String(error)}`);
        });
        from = to;
      }
      const end = new MemoryTransport();
      await copyBetween(from, end, { format: oci });
      await checkContents(end, start.diffIds);
    },
  );
});
