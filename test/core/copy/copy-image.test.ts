import { describe, expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { layerFamilies, manifestTypes } from "../../../core/content/media-types.ts";
import { encodeSignatureBlob } from "../../../core/content/signature-blob.ts";
import { Failure } from "../../../core/failure.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { manifestDigest } from "../../../core/manifest/manifest.ts";
import {
  copyBetween,
  type EngineWish,
  failureOf,
  holding,
  keptImage,
} from "../../support/engine.ts";
import { MemoryTransport, type MemoryWish } from "../../support/memory-transport.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { holdSchema1, schema1Image } from "../../support/sample-schema1.ts";

const image = sampleImage({ seed: "copy", format: "oci", layers: ["gzip", "zstd", "none"] });

describe("copyImage", () => {
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

  test("carries nothing on that is no signature", async () => {
    const from = new MemoryTransport();
    from.add("a", image, [new Uint8Array([0x90]), Buffer.from("{}")]);
    const to = new MemoryTransport();
    const failure = await failureOf(copyBetween(from, to));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: "reading signatures: unrecognized signature format, starting with binary 0x7b",
    });
    expect(to.blobs.size).toBe(0);
  });

  test("G1: carries no image on that is said to be a signature", async () => {
    for (const mediaType of [
      ...Object.values(layerFamilies).flatMap((family) => Object.values(family)),
      "application/vnd.oci.image.layer.v1.tar+encrypted",
      "application/vnd.OCI.image.layer.v1.tar",
    ]) {
      const from = new MemoryTransport();
      const payload = Buffer.from("an archive");
      const annotations = { "dev.cosignproject.cosign/signature": "" };
      const content = { kind: "sigstore", mediaType, payload, annotations } as const;
      from.add("a", image, [encodeSignatureBlob(content)]);
      const to = new MemoryTransport();
      const failure = await failureOf(copyBetween(from, to));
      expect(failure).toMatchObject({
        code: "refused",
        message: `reading signatures: A signature says that it is a layer, "${mediaType}"`,
      });
      expect(to.blobs.size).toBe(0);
      await copyBetween(from, to, { signatures: "remove" });
    }
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

  test.each([
    [
      "a format that was asked for",
      { format: manifestTypes.schema1 },
      /^writing manifest: not this$/,
    ],
    [
      "a digest that has to stay",
      { preserveDigests: true },
      /not this: it has to stay of type .*oci/,
    ],
  ])("moves nothing to who cannot keep it: %s", async (_, wish, message) => {
    const oci = sampleImage({ seed: "not this", format: "oci" });
    const { schema2 } = manifestTypes;
    const to = new MemoryTransport({
      traits: { manifestTypes: [schema2], refusesOtherTypes: "not this" },
    });
    const failure = await failureOf(copyBetween(holding(oci), to, wish));
    expect(failure.code).toBe("unsupported");
    expect(failure.message).toMatch(message);
    expect(to.blobs.size).toBe(0);
  });

  test("refuses a destination that names another digest", async () => {
    const to = new PinnedTransport();
    const failure = await failureOf(copyBetween(holding(image), to));
    expect(failure.message).toBe(
      `Digest of source image's manifest would not match destination reference: the source has ${image.manifest.digest}, the destination is to have ${digestOf(new Uint8Array([1]))}`,
    );
    expect(failure.hint).toBe("to let the digest change, name the destination by a tag");
  });

  test("says what a digest that has to stay stands in the way of", async () => {
    const { oci, ociIndex, schema2 } = manifestTypes;
    const to = new MemoryTransport({ traits: { manifestTypes: [schema2, ociIndex] } });
    const docker = new MemoryTransport({ traits: { manifestTypes: [ociIndex] } });
    const copying = copyBetween(holding(image), to, { preserveDigests: true });
    const failure = await failureOf(copying);
    const taken = `writing manifest: Manifest type ${oci} is not taken here`;
    expect(failure.message).toBe(
      `${taken}: it has to stay of type ${oci} (Instructed to preserve digests), as ${schema2} it would have another digest`,
    );
    expect(failure.hint).toBe("to let digests change, leave out --preserve-digests");
    const nowhere = copyBetween(holding(image), docker, { preserveDigests: true });
    expect((await failureOf(nowhere)).message).toBe(taken);
  });

  test.each([
    [manifestTypes.schema2, true],
    [manifestTypes.oci, false],
  ])("warns that a format is not had where nothing may change: %s", async (format, warns) => {
    const wish = { preserveDigests: true, format };
    const { events } = await copyBetween(holding(image), new MemoryTransport(), wish);
    expect(events.filter(({ kind }) => kind === "warning")).toEqual(
      warns
        ? [
            {
              kind: "warning",
              message: `The manifest stays of type ${manifestTypes.oci}, and does not become ${format}: Instructed to preserve digests`,
            },
          ]
        : [],
    );
  });
});

/** Its images go by a digest that no image has. */
class PinnedTransport extends MemoryTransport {
  override parseReference(text: string) {
    const reference = super.parseReference(text);
    const digest = digestOf(new Uint8Array([1]));
    return {
      ...reference,
      openDestination: async (context: Parameters<typeof reference.openDestination>[0]) => {
        const inner = await reference.openDestination(context);
        return Object.assign(inner, { name: { ...inner.name, digest } });
      },
    };
  }
}

describe("copyImage of schema 1", () => {
  const old = schema1Image({ layers: ["gzip", "none"] });
  const gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
  const tar = "application/vnd.oci.image.layer.v1.tar";

  function holdingOld(): MemoryTransport {
    const memory = new MemoryTransport();
    holdSchema1(memory, "a", old);
    return memory;
  }

  function configOf(memory: MemoryTransport) {
    const { config } = keptImage(memory);
    const bytes = config && memory.blobs.get(config.digest);
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  test.each<[string, MemoryWish, readonly string[]]>([
    ["as they are", {}, [gzip, tar]],
    ["compressed", { traits: { layers: "compress" } }, [gzip, gzip]],
    ["decompressed", { traits: { layers: "decompress" } }, [tar, tar]],
  ])("learns what its layers hold while they are stored %s", async (_, wish, types) => {
    const to = new MemoryTransport(wish);
    await copyBetween(holdingOld(), to, { format: manifestTypes.oci });
    expect(configOf(to).rootfs.diff_ids).toEqual(old.diffIds);
    const { layers } = keptImage(to);
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([...types]);
    for (const { digest, size } of layers) expect(to.blobs.get(digest)?.length).toBe(size);
    // Two layers and a config: the layer that holds nothing stays behind.
    expect(to.blobs.size).toBe(3);
  });

  test("reads layers that the destination has, for what they hold", async () => {
    const to = new MemoryTransport();
    for (const { digest, bytes } of old.layers) to.blobs.set(parseDigest(digest), bytes);
    const { events } = await copyBetween(holdingOld(), to, { format: manifestTypes.schema2 });
    expect(configOf(to).rootfs.diff_ids).toEqual(old.diffIds);
    const layers = events.filter((event) => event.kind === "blob-ended" && event.role === "layer");
    expect(layers.map((event) => "outcome" in event && event.outcome)).toEqual([
      "reused",
      "reused",
    ]);
    // Schema 1 does not say that a layer is uncompressed; its bytes do.
    const { gzip: packed, none: plain } = layerFamilies.docker;
    expect(keptImage(to).layers.map(({ mediaType }) => mediaType)).toEqual([packed, plain]);
  });

  test("is converted where schema 1 is refused, though nothing was learnt before", async () => {
    const to = refusing(manifestTypes.schema1, manifestTypes.schema1Signed);
    await copyBetween(holdingOld(), to);
    expect(keptImage(to).mediaType).toBe(manifestTypes.schema2);
    expect(configOf(to).rootfs.diff_ids).toEqual(old.diffIds);
  });

  test("tells of every attempt where nothing is taken", async () => {
    const { oci, schema1, schema1Signed, schema2 } = manifestTypes;
    const to = refusing(oci, schema1, schema1Signed, schema2);
    const failure = await failureOf(copyBetween(holdingOld(), to));
    const told = [schema1, schema1Signed, schema2, oci].map(
      (type) => `${type}(writing manifest: ${type} is not taken)`,
    );
    expect(failure.message).toBe(
      `Uploading manifest failed, attempted the following formats: ${told.join(", ")}`,
    );
  });

  test("C1 stores no image whose layers are not what they are called", async () => {
    const from = holdingOld();
    const [base] = old.layers;
    const digest = parseDigest(base?.digest ?? "");
    from.blobs.set(digest, Bun.gzipSync(new Uint8Array(512)));
    const to = new MemoryTransport();
    const failure = await failureOf(copyBetween(from, to, { format: manifestTypes.oci }));
    expect(failure).toMatchObject({ code: "corrupt" });
    expect(to.images.size).toBe(0);
  });

  test("is made of later images with an empty layer and a signature", async () => {
    const to = new MemoryTransport();
    const { digest } = await copyBetween(holding(sampleImage()), to, {
      format: manifestTypes.schema1Signed,
    });
    const { raw, layers } = keptImage(to);
    expect(raw.mediaType).toBe(manifestTypes.schema1Signed);
    expect(digest).toBe(manifestDigest(raw.bytes));
    expect(layers.every((layer) => to.blobs.has(layer.digest))).toBe(true);
    const [signature] = JSON.parse(new TextDecoder().decode(raw.bytes)).signatures;
    const { time } = JSON.parse(Buffer.from(signature.protected, "base64url").toString());
    expect(time).toBe("2024-03-01T12:00:00Z");
  });
});

/** Returns a transport that takes manifests of any type but these. */
function refusing(...types: readonly string[]): MemoryTransport {
  return new (class extends MemoryTransport {
    override parseReference(text: string) {
      const reference = super.parseReference(text);
      return {
        ...reference,
        openDestination: async (context: TransportContext) => {
          const inner = await reference.openDestination(context);
          const put = inner.putManifest.bind(inner);
          const putManifest: ImageDestination["putManifest"] = async (manifest, instance) => {
            const { mediaType } = manifest;
            if (!types.includes(mediaType)) return put(manifest, instance);
            throw new Failure("unsupported", `${mediaType} is not taken`);
          };
          return Object.assign(inner, { putManifest });
        },
      };
    }
  })();
}
