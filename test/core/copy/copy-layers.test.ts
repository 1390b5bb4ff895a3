import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { copyLayers, type LayersRequest } from "../../../core/copy/copy-layers.ts";
import { Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf, holding, rawOf, rejecting } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { blobsOf, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const image = sampleImage({ seed: "layers", format: "oci", layers: ["gzip", "none"] });
const layer = parseDigest(image.layers[1]?.digest ?? "");

function copyOf(
  from: MemoryTransport,
  into: MemoryTransport,
  {
    policy = acceptEverything,
    ...wish
  }: Partial<LayersRequest> & { policy?: typeof acceptEverything } = {},
): Promise<void> {
  return copyLayers({
    source: { reference: from.parseReference("a"), context: transportContext() },
    destination: { reference: into.parseReference("b"), context: transportContext() },
    gate: new Gate(policy, { requireSigned: false, now: () => new Date() }),
    platform: { os: "linux", architecture: "amd64" },
    wanted: [],
    ...wish,
  });
}

describe("copyLayers", () => {
  test("copies all layers, the config and the manifest, byte for byte", async () => {
    const to = new MemoryTransport();
    await copyOf(holding(image), to);
    for (const { digest, bytes } of blobsOf(image)) {
      expect(to.blobs.get(parseDigest(digest))).toEqual(bytes);
    }
    expect(rawOf(to, "b").bytes).toEqual(image.manifest.bytes);
  });

  test("copies nothing but what is wanted, and the manifest", async () => {
    const to = new MemoryTransport();
    await copyOf(holding(image), to, { wanted: [layer, layer] });
    expect([...to.blobs.keys()]).toEqual([layer]);
    expect(rawOf(to, "b").bytes).toEqual(image.manifest.bytes);
  });

  test("takes of a list the image for the platform", async () => {
    const list = sampleList({ seed: "layers", format: "oci" });
    const to = new MemoryTransport();
    await copyOf(holding(list), to);
    expect(rawOf(to, "b").mediaType).toContain("image.manifest");
  });

  test("refuses a blob that the image does not name", async () => {
    const other = parseDigest(`sha256:${"0".repeat(64)}`);
    const failure = await failureOf(
      copyOf(holding(image), new MemoryTransport(), { wanted: [other] }),
    );
    expect(failure).toMatchObject({
      code: "usage",
      message: `The image does not name a blob ${other}`,
    });
  });

  test("G1: opens nothing for writing if the policy refuses the image", async () => {
    const to = new MemoryTransport();
    const policy = rejecting(image.manifest.digest);
    const failure = await failureOf(copyOf(holding(image), to, { policy }));
    expect(failure.message).toBe(`Source image rejected: ${image.manifest.digest} is not welcome`);
    expect(to.blobs.size + to.images.size).toBe(0);
  });

  test("names the blob that is not what its digest says, and leaves no image", async () => {
    const from = holding(image);
    from.blobs.set(layer, new Uint8Array(from.blobs.get(layer) ?? []).fill(7));
    const to = new MemoryTransport();
    const failure = await failureOf(copyOf(from, to));
    expect(failure.message).toStartWith(`corrupt blob "${layer}": Digest did not match`);
    expect(to.images.size).toBe(0);
  });
});
