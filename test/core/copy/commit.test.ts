import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { Failure } from "../../../core/failure.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import type { TransportContext } from "../../../core/image/transport.ts";
import { copyBetween, failureOf, holding } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "commit", format: "oci" });
const digests = [...image.layers, image.config].map(({ digest }) => parseDigest(digest));

/** Says that it has every blob, and notices at the manifest that it has not. */
class ForgetfulTransport extends MemoryTransport {
  readonly names: boolean;
  refusals = 0;

  constructor(names: boolean) {
    super();
    this.names = names;
  }

  override parseReference(text: string) {
    const reference = super.parseReference(text);
    return {
      ...reference,
      openDestination: (context: TransportContext) =>
        this.#forgetful(reference.openDestination(context)),
    };
  }

  async #forgetful(opening: Promise<ImageDestination>): Promise<ImageDestination> {
    const inner = await opening;
    const put = inner.putManifest.bind(inner);
    return Object.assign(inner, {
      reuseBlob: async ({ digest, size }: Parameters<ImageDestination["reuseBlob"]>[0]) => ({
        digest,
        size: size ?? 0,
        by: "presence" as const,
      }),
      putManifest: async (...sent: Parameters<ImageDestination["putManifest"]>) => {
        const missing = digests.filter((digest) => !this.blobs.has(digest));
        if (missing.length === 0) return put(...sent);
        this.refusals += 1;
        const missingBlobs = this.names ? missing.slice(0, 1) : [];
        throw new Failure("refused", "blob unknown to registry", { missingBlobs });
      },
    });
  }
}

describe("commitImage", () => {
  test("row 36: sends what the destination claimed to have, once, and tries again", async () => {
    const to = new ForgetfulTransport(false);
    await copyBetween(holding(image), to);
    expect(to.refusals).toBe(1);
    expect(digests.every((digest) => to.blobs.has(digest))).toBe(true);
    expect(to.images.has("b")).toBe(true);
  });

  test("row 36: sends only the blobs that were named, and gives up after that", async () => {
    const to = new ForgetfulTransport(true);
    const failure = await failureOf(copyBetween(holding(image), to));
    expect(failure.message).toBe("writing manifest: blob unknown to registry");
    expect(to.refusals).toBe(2);
    expect(to.blobs.size).toBe(1);
    expect(to.images.size).toBe(0);
  });
});
