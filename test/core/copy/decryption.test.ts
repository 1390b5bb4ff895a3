import { describe, expect, test } from "bun:test";

import { jweOpening, jweWrapping } from "../../../core/blob/jwe.ts";
import { parseOwnKey, parseRecipientKey } from "../../../core/blob/layer-key.ts";
import type { CopyEvent } from "../../../core/copy/events.ts";
import type { CryptWish } from "../../../core/copy/layer-crypt.ts";
import { copyBetween, failureOf, holding, keptImage, rawOf } from "../../support/engine.ts";
import { layerKeyPair, privatePem, publicPem } from "../../support/layer-keys.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { type SampleCompression, sampleImage } from "../../support/sample-images.ts";

const pair = layerKeyPair();
const encrypt: CryptWish = {
  kind: "encrypt",
  wrappings: [jweWrapping([parseRecipientKey(publicPem(pair))])],
  layers: [0],
};
const decrypt: CryptWish = {
  kind: "decrypt",
  openings: [jweOpening(parseOwnKey(privatePem(pair)))],
};
const annotation = "org.opencontainers.image.enc.pubopts";

function imageWith(...layers: readonly SampleCompression[]) {
  return sampleImage({ seed: "decryption", format: "oci", layers });
}

/** Returns a transport whose `a` is the image with its first layer locked. */
async function locked(...layers: readonly SampleCompression[]): Promise<MemoryTransport> {
  const memory = new MemoryTransport();
  await copyBetween(holding(imageWith(...layers)), memory, { crypt: encrypt, to: "a" });
  return memory;
}

/** Changes what the first layer of `a` says about how it is encrypted. */
function changeOptions(memory: MemoryTransport, change: (options: object) => object): void {
  const { bytes, mediaType } = rawOf(memory, "a");
  const manifest = JSON.parse(new TextDecoder().decode(bytes));
  const { annotations } = manifest.layers[0];
  const options = JSON.parse(Buffer.from(annotations[annotation], "base64").toString());
  annotations[annotation] = Buffer.from(JSON.stringify(change(options))).toString("base64");
  const changed = { bytes: new TextEncoder().encode(JSON.stringify(manifest)), mediaType };
  const { signatures = new Map() } = memory.images.get("a") ?? {};
  memory.images.set("a", { manifests: new Map([["", changed]]), signatures });
}

describe("copyImage with a key", () => {
  test.each([[["gzip"]], [["zstd"]], [["none", "gzip"]]] as const)(
    "gives back what was locked: %p",
    async (layers) => {
      const to = new MemoryTransport();
      await copyBetween(await locked(...layers), to, { crypt: decrypt });
      const { mediaType, digest, annotations } = keptImage(to).layers[0] ?? {};
      const [plain] = imageWith(...layers).layers;
      expect({ mediaType, digest: String(digest) }).toMatchObject({
        mediaType: plain?.mediaType,
        digest: plain?.digest,
      });
      expect(annotations).toBeUndefined();
    },
  );

  test.each([["gzip"], ["none"]] as const)(
    "refuses what was decrypted from another start, which the HMAC does not tell: %s",
    async (compression) => {
      const from = await locked(compression);
      const nonce = Buffer.alloc(16).toString("base64");
      changeOptions(from, (options) => ({ ...options, cipheroptions: { nonce } }));
      const to = new MemoryTransport();
      const failure = await failureOf(copyBetween(from, to, { crypt: decrypt }));
      expect(failure.code).toBe("corrupt");
      expect(failure.message).toContain("is not the content that the image's config names");
      expect(to.images.size).toBe(0);
    },
  );

  test("tells what was done to each blob, and nothing that was not", async () => {
    const changes = async (from: MemoryTransport, crypt: CryptWish) => {
      const told: unknown[] = [];
      const to = new MemoryTransport({ traits: { layers: "compress" } });
      const tell = (event: CopyEvent) => {
        if (event.kind === "blob-ended" && event.role === "layer") told.push(event.changes);
      };
      await copyBetween(from, to, { crypt, tell, parallelBlobs: 1 });
      return told;
    };
    const plain = imageWith("none", "gzip", "none");
    const both = { ...encrypt, layers: [0, 1] };
    expect(await changes(holding(plain), both)).toEqual([
      ["compress", "encrypt"],
      ["encrypt"],
      ["compress"],
    ]);
    expect(await changes(await locked("none", "gzip"), decrypt)).toEqual([
      ["decrypt", "compress"],
      undefined,
    ]);
  });

  test("reads nothing once more because a key or its message is wrong", async () => {
    const from = await locked("gzip", "gzip", "gzip");
    changeOptions(from, () => []);
    const events: CopyEvent[] = [];
    const tell = (event: CopyEvent) => events.push(event);
    const copying = copyBetween(from, new MemoryTransport(), { crypt: decrypt, tell });
    expect((await failureOf(copying)).code).toBe("corrupt");
    expect(events.filter(({ kind }) => kind === "blob-restarted")).toEqual([]);
  });
});
