// P2: memory does not grow with the size of a blob, in either direction.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, statSync } from "node:fs";
import { type BigLayer, bigLayer } from "../support/big-layer.ts";
import { type EndlessRegistry, startEndlessRegistry } from "../support/endless-registry.ts";
import { hexOf } from "../support/sample-images.ts";
import { Scene } from "../support/scene.ts";

const MiB = 1024 * 1024;
const limitBytes = 150 * MiB;

describe("P2: a layer of 2 GiB, under 150 MB of memory", () => {
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

  test("goes from a registry to dir:", async () => {
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, "dir:there");
    expect(statSync(scene.at("there", hexOf(layer.digest))).size).toBe(layer.size);
    rmSync(scene.at("there"), { recursive: true });
  }, 300_000);

  test("goes from a registry to oci:, and from there to a registry", async () => {
    await expectLittleMemory("copy", "--src-tls-verify=false", registry.image, "oci:there:1");
    expect(statSync(scene.at("there/blobs/sha256", hexOf(layer.digest))).size).toBe(layer.size);
    await expectLittleMemory("copy", "--dest-tls-verify=false", "oci:there:1", registry.image);
    expect(registry.received.get(layer.digest)).toBe(layer.size);
    rmSync(scene.at("there"), { recursive: true });
  }, 300_000);

  async function expectLittleMemory(...args: readonly string[]): Promise<void> {
    const options = { watchMemory: true, limitMs: 250_000 };
    const { code, stderr, peakBytes } = await scene.run(args, options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(peakBytes).toBeGreaterThan(1 * MiB);
    expect(peakBytes).toBeLessThan(limitBytes);
  }
});
