import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { copyBetween, type EngineWish, failureOf, holding } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage } from "../../support/sample-images.ts";

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

  test("refuses a destination that names another digest", async () => {
    const to = new PinnedTransport();
    const failure = await failureOf(copyBetween(holding(image), to));
    expect(failure.message).toBe(
      "Digest of source image's manifest would not match destination reference",
    );
    expect(failure.hint).toContain(image.manifest.digest);
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
