import { describe, expect, test } from "bun:test";

import { parseDockerName } from "../../../core/content/docker-name.ts";
import { Failure } from "../../../core/failure.ts";
import type { Signer, SigningWish } from "../../../core/trust/signer.ts";
import { copyBetween, failureOf, holding, rawOf, rejecting } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "sign", format: "oci", layers: ["none", "gzip"] });
const identity = parseDockerName("registry.example/a:1");

/** Signs with one byte, and keeps what it was asked. */
function signing(mark: number): Signer & { readonly asked: SigningWish[]; prepared: number } {
  const asked: SigningWish[] = [];
  const signer = {
    form: "simple-signing" as const,
    activity: `Signing with ${mark}`,
    asked,
    prepared: 0,
    async prepare() {
      signer.prepared++;
    },
    async sign(wish: SigningWish) {
      asked.push(wish);
      return Uint8Array.of(0x90, mark);
    },
  };
  return signer;
}

const failing = (message: string): Signer => ({
  form: "simple-signing",
  activity: "Failing",
  sign: async () => {
    throw new Failure("refused", message);
  },
});

describe("signManifest", () => {
  test("signs the manifest as it was written, under the name it is given", async () => {
    const signer = signing(1);
    const to = new MemoryTransport({ traits: { layers: "compress" } });
    const { digest, events } = await copyBetween(holding(image), to, {
      signing: { signers: [signer], identity },
    });
    expect(String(digest)).not.toBe(image.manifest.digest);
    expect(signer.asked).toEqual([{ digest, reference: "registry.example/a:1" }]);
    expect(signer.prepared).toBe(1);
    expect(to.images.get("b")?.signatures.get("")).toEqual([Uint8Array.of(0x90, 1)]);
    const rest = { mediaType: expect.any(String), size: expect.any(Number) };
    expect(events.slice(-5, -1)).toEqual([
      { kind: "manifest-begun", of: "image" },
      { kind: "manifest-written", of: "image", digest, ...rest },
      { kind: "signing-begun", activity: "Signing with 1" },
      { kind: "signatures-begun", of: "image" },
    ]);
  });

  test("puts new signatures behind those that travel, in the order of the signers", async () => {
    const from = new MemoryTransport();
    from.add("a", image, [Uint8Array.of(0x90, 9)]);
    const to = new MemoryTransport();
    const { events } = await copyBetween(from, to, {
      signing: { signers: [signing(1), signing(2)], identity },
    });
    const marks = to.images
      .get("b")
      ?.signatures.get("")
      ?.map((each) => each[1]);
    expect(marks).toEqual([9, 1, 2]);
    expect(events.filter(({ kind }) => kind === "signing-begun")).toEqual([
      { kind: "signing-begun", activity: "Signing with 1", number: 1 },
      { kind: "signing-begun", activity: "Signing with 2", number: 2 },
    ]);
  });

  test("signs each image of a list, and the list", async () => {
    const signer = signing(1);
    const list = sampleList({ seed: "sign", format: "oci" });
    const to = new MemoryTransport();
    await copyBetween(holding(list), to, {
      images: "all",
      signing: { signers: [signer], identity },
    });
    const digests = [...list.images.map(({ manifest }) => manifest.digest), list.manifest.digest];
    expect(signer.asked.map(({ digest }) => String(digest))).toEqual(digests);
    const signed = [...(to.images.get("b")?.signatures.keys() ?? [])];
    expect(signed).toEqual([...digests.slice(0, -1), ""]);
  });

  test.each([
    [[failing("no key")], "creating signature: no key"],
    [[signing(1), failing("no key")], "creating signature 2: no key"],
  ])("commits nothing if a signer fails", async (signers, message) => {
    const to = new MemoryTransport();
    const failure = await failureOf(
      copyBetween(holding(image), to, { signing: { signers, identity } }),
    );
    expect(failure.message).toBe(message);
    expect(to.images.size).toBe(0);
  });
});

describe("prepareSigning", () => {
  test.each([
    [
      "a destination that no registry knows",
      undefined,
      "Cannot determine canonical Docker reference for destination memory:b",
    ],
    [
      "an identity without tag or digest",
      parseDockerName("registry.example/a"),
      "Sign identity must be a fully specified reference registry.example/a",
    ],
  ])("fails on %s, before anything is written", async (_, name, message) => {
    const to = new MemoryTransport();
    const signer = signing(1);
    const failure = await failureOf(
      copyBetween(holding(image), to, {
        signing: { signers: [signer], ...(name !== undefined && { identity: name }) },
      }),
    );
    expect(failure.message).toBe(message);
    expect(to.blobs.size).toBe(0);
    expect(signer.asked).toEqual([]);
  });

  test("fails with what keeps a signer from signing, before anything is written", async () => {
    const to = new MemoryTransport();
    const unable = {
      ...signing(1),
      prepare: async () => {
        throw new Failure("config", "no gpg");
      },
    };
    const failure = await failureOf(
      copyBetween(holding(image), to, { signing: { signers: [unable], identity } }),
    );
    expect(failure).toMatchObject({ code: "config", message: "no gpg" });
    expect(to.blobs.size).toBe(0);
  });

  test("G1: asks nobody to sign what the policy refuses", async () => {
    const signer = signing(1);
    const policy = rejecting(image.manifest.digest);
    const copying = copyBetween(holding(image), new MemoryTransport(), {
      policy,
      signing: { signers: [signer], identity },
    });
    expect(await failureOf(copying)).toMatchObject({ code: "rejected" });
    expect(signer).toMatchObject({ asked: [], prepared: 0 });
  });
});

describe("checkHoldsSignatures", () => {
  test.each([
    ["an image", image, "system"],
    ["a list", sampleList({ seed: "sign", format: "oci" }), "all"],
  ] as const)(
    "fails before %s is written where no signature can be kept",
    async (_, sample, images) => {
      const to = new MemoryTransport({ traits: { refusesSignatures: "not here" } });
      const failure = await failureOf(
        copyBetween(holding(sample), to, {
          images,
          signing: { signers: [signing(1)], identity },
        }),
      );
      expect(failure.message).toBe("writing signatures: not here");
      expect(to.blobs.size).toBe(0);
      expect(() => rawOf(to, "b")).toThrow();
    },
  );
});
