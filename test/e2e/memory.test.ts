// Memory: how much of it a copy takes does not depend on the size of what is copied.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { type BigLayer, bigLayer } from "../support/big-layer.ts";
import { type EndlessRegistry, startEndlessRegistry } from "../support/endless-registry.ts";
import { startRegistry } from "../support/registry-server.ts";
import {
  type SampleBlob,
  hexOf,
  imageOf,
  mediaTypes,
  sampleConfig,
} from "../support/sample-images.ts";
import { randomBytes } from "../support/random.ts";
import { Scene } from "../support/scene.ts";
import { tarOf } from "../support/tar-bytes.ts";

const MiB = 1024 * 1024;
const limitBytes = 150 * MiB;

describe("under 150 MB of memory", () => {
  let layer: BigLayer;
  let scene: Scene;
  let registry: EndlessRegistry;

  beforeAll(() => {
    layer = bigLayer(2048 * MiB);
    scene = new Scene();
    registry = startEndlessRegistry(layer);
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
  });

  test("P2: a layer of 2 GiB goes from a registry to dir:, and from there by tarball:", async () => {
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, "dir:there");
    const file = scene.at("there", hexOf(layer.digest));
    expect(statSync(file).size).toBe(layer.size);
    await expectLittleMemory("copy", `tarball:${file}`, "dir:again");
    expect(statSync(scene.at("again", hexOf(layer.digest))).size).toBe(layer.size);
    for (const name of ["there", "again"]) rmSync(scene.at(name), { recursive: true });
  }, 300_000);

  test("P2: a layer of 2 GiB goes from a registry to oci:, and from there to a registry", async () => {
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, "oci:there:1");
    expect(statSync(scene.at("there/blobs/sha256", hexOf(layer.digest))).size).toBe(layer.size);
    await expectLittleMemory("copy", "--dest-tls-verify=false", "oci:there:1", registry.image);
    expect(registry.received.get(layer.digest)).toBe(layer.size);
    rmSync(scene.at("there"), { recursive: true });
  }, 300_000);

  test("P2: a layer of 2 GiB goes from a registry to oci-archive:, and from there to a registry", async () => {
    const archive = "oci-archive:there.tar:1";
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, archive);
    expect(statSync(scene.at("there.tar")).size).toBeGreaterThan(layer.size);
    await using other = startEndlessRegistry(layer);
    await expectLittleMemory("copy", "--dest-tls-verify=false", archive, other.image);
    expect(other.received.get(layer.digest)).toBe(layer.size);
    rmSync(scene.at("there.tar"));
  }, 300_000);

  test("P2: a layer of 2 GiB goes from a registry to docker-archive:, and from there to dir:", async () => {
    const archive = "docker-archive:there.tar:a/b:1";
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, archive);
    // The layer came compressed, and is not any more.
    expect(statSync(scene.at("there.tar")).size).toBeGreaterThan(2000 * MiB);
    await expectLittleMemory("copy", archive, "dir:there");
    rmSync(scene.at("there"), { recursive: true });
    rmSync(scene.at("there.tar"));
  }, 300_000);

  test("P3: a layer expands from 1 MiB to 1 GiB on the way to dir:, at the cost of disk alone", async () => {
    const zeros = bombOf(1024);
    const config = sampleConfig("oci", [zeros.diffId]);
    const image = imageOf("oci", config, [zeros.layer], [zeros.diffId]);
    const source = await scene.store("dir");
    await source.fill(image);
    await expectLittleMemory("copy", "--dest-decompress", source.image, "dir:there");
    expect(statSync(scene.at("there", hexOf(zeros.diffId))).size).toBe(1024 * MiB);
    rmSync(scene.at("there"), { recursive: true });
  });

  test.each(["gzip", "zstd", "zstd:chunked"])(
    "P2: several large layers are compressed with %s at the same time",
    async (format) => {
      const layers = ["a", "b", "c", "d"].map((seed) => noisyLayer(seed, 96 * MiB));
      const diffIds = layers.map(({ digest }) => digest);
      const source = await scene.store("dir");
      await source.fill(imageOf("oci", sampleConfig("oci", diffIds), layers, diffIds));
      const flag = `--dest-compress-format=${format}`;
      await expectLittleMemory("copy", flag, source.image, "oci:packed:1");
      rmSync(scene.at("packed"), { recursive: true });
      rmSync(source.image.replace("dir:", ""), { recursive: true });
    },
    300_000,
  );

  test("P2: layers of many small files become zstd:chunked, which were gzip", async () => {
    const packed = ["a", "b", "c"].map((seed) => packedLayer(seed, 4000, 8000));
    const diffIds = packed.map(({ diffId }) => diffId);
    const layers = packed.map(({ layer }) => layer);
    const source = await scene.store("dir");
    await source.fill(imageOf("oci", sampleConfig("oci", diffIds), layers, diffIds));
    const flag = "--dest-compress-format=zstd:chunked";
    await expectLittleMemory("copy", flag, source.image, "oci:packed:1");
    rmSync(scene.at("packed"), { recursive: true });
  }, 300_000);

  test("P1: a manifest of 200 MiB is refused without reading it", async () => {
    await using endless = startRegistry({
      intercept: async ({ target }, usual) =>
        target.includes("/manifests/") ? new Response(blanks(200)) : await usual(),
    });
    const image = `docker://${endless.host}/a/b:1`;
    const options = { watchMemory: true };
    const result = await scene.run(["inspect", "--tls-verify=false", image], options);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("exceeded maximum allowed size of 4194304 bytes");
    expect(result.peakBytes).toBeLessThan(limitBytes);
  });

  async function expectLittleMemory(...args: readonly string[]): Promise<void> {
    const options = { watchMemory: true, limitMs: 250_000 };
    const { code, stderr, peakBytes } = await scene.run(args, options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(peakBytes).toBeGreaterThan(1 * MiB);
    expect(peakBytes).toBeLessThan(limitBytes);
  }
});

/** Returns an uncompressed layer of files that compress to their half. */
function noisyLayer(seed: string, size: number): SampleBlob {
  const fileBytes = 600_000;
  const noise = randomBytes(seed, 8 * MiB);
  const files = Array.from({ length: Math.floor(size / fileBytes) }, (_, index) => {
    const at = (index * 9973) % (noise.length - fileBytes);
    const body = noise.slice(at, at + fileBytes).fill(65, fileBytes / 2);
    return { path: `${seed}/${index}`, body };
  });
  const bytes = tarOf(files);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return { mediaType: mediaTypes.oci.none, bytes, digest };
}

/** Returns a layer of so many files of one size, which compress to their half, and what it is before that. */
function packedLayer(
  seed: string,
  count: number,
  fileBytes: number,
): { readonly layer: SampleBlob; readonly diffId: string } {
  const noise = randomBytes(seed, 1 * MiB);
  const files = Array.from({ length: count }, (_, index) => {
    const at = (index * 9973) % (noise.length - fileBytes);
    return {
      path: `${seed}/${index}`,
      body: noise.slice(at, at + fileBytes).fill(65, fileBytes / 2),
    };
  });
  const tar = tarOf(files);
  const bytes = Bun.gzipSync(Buffer.from(tar), { level: 1 });
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return {
    layer: { mediaType: mediaTypes.oci.gzip, bytes, digest },
    diffId: `sha256:${Bun.CryptoHasher.hash("sha256", tar, "hex")}`,
  };
}

/** Returns a layer of so many MiB of nothing but zeros, and what it is before compression. */
function bombOf(mebibytes: number): { readonly layer: SampleBlob; readonly diffId: string } {
  const zeros = new Uint8Array(MiB);
  const hasher = new Bun.CryptoHasher("sha256");
  // Gzip takes several members for one stream: compressing one MiB is enough.
  const member = Bun.gzipSync(zeros);
  const members = Array.from({ length: mebibytes }, () => (hasher.update(zeros), member));
  const bytes = Buffer.concat(members);
  const digest = `sha256:${Bun.CryptoHasher.hash("sha256", bytes, "hex")}`;
  return {
    layer: { mediaType: mediaTypes.oci.gzip, bytes, digest },
    diffId: `sha256:${hasher.digest("hex")}`,
  };
}

function blanks(mebibytes: number): ReadableStream<Uint8Array> {
  let left = mebibytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new Uint8Array(MiB).fill(0x20));
    },
  });
}
