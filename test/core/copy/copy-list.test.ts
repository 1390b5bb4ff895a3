import { describe, expect, test } from "bun:test";

import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { Failure } from "../../../core/failure.ts";
import type { Transport } from "../../../core/image/transport.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import {
  copyBetween,
  type EngineWish,
  failureOf,
  holding,
  keptImage,
  keptList,
  rawOf,
  rejecting,
} from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import { ociIndexSample } from "../../support/sample-manifests.ts";

interface StripWish extends EngineWish {
  readonly signed?: boolean;
}

const list = sampleList({ seed: "copy", format: "oci" });

describe("copyList", () => {
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

  const arm = { os: "linux", architecture: "arm" };
  const some = (others: "keep" | "strip") => ({
    images: { platforms: [arm, { os: "linux", architecture: "amd64" }], others },
  });
  const [amd64, arm64, armV7] = list.images.map(({ manifest }) => manifest.digest);

  test("takes the images for some platforms, and the list as it is", async () => {
    const to = new MemoryTransport();
    const { digest, events } = await copyBetween(holding(list), to, some("keep"));
    expect(String(digest)).toBe(list.manifest.digest);
    expect([...(to.images.get("b")?.manifests.keys() ?? [])]).toEqual([
      amd64 ?? "",
      armV7 ?? "",
      "",
    ]);
    expect(events.find(({ kind }) => kind === "list-begun")).toMatchObject({
      chosen: 2,
      listed: list.images.length,
    });
  });

  test("leaves out of the list what does not travel, where that is asked for", async () => {
    const to = new MemoryTransport();
    await copyBetween(holding(list), to, some("strip"));
    expect(keptList(to).instances.map(({ digest }) => String(digest))).toEqual([
      amd64 ?? "",
      armV7 ?? "",
    ]);
    const whole = JSON.parse(new TextDecoder().decode(list.manifest.bytes));
    const part = JSON.parse(new TextDecoder().decode(rawOf(to, "b").bytes));
    expect(part).toEqual({ ...whole, manifests: [whole.manifests[0], whole.manifests[2]] });
  });

  test("names the travelling images by what became of them, wherever they stand", async () => {
    const from = holding(sampleList({ seed: "converted", format: "docker" }));
    const to = new MemoryTransport({
      traits: { manifestTypes: [manifestTypes.oci, manifestTypes.ociIndex] },
    });
    const images = { platforms: [arm], others: "keep" } as const;
    await copyBetween(from, to, { images });
    const [first, second, third] = keptList(to).instances;
    expect([first?.mediaType, second?.mediaType, third?.mediaType]).toEqual([
      manifestTypes.schema2,
      manifestTypes.schema2,
      manifestTypes.oci,
    ]);
    keptImage(to, "b", third?.digest);
  });

  test.each([
    ["preserved digests", { preserveDigests: true }, "Instructed to preserve digests"],
    ["signatures of the list", { signed: true }, "Would invalidate signatures"],
  ])("strips nothing against %s", async (_, { signed = false, ...wish }: StripWish, why) => {
    const from = new MemoryTransport();
    from.add("a", list, signed ? [new Uint8Array([0x90])] : []);
    const to = new MemoryTransport();
    const failure = await failureOf(copyBetween(from, to, { ...some("strip"), ...wish }));
    expect(failure.code).toBe("unsupported");
    expect(failure.message).toStartWith(
      `preparing instances for copy: we should delete instance ${arm64} from manifest list, but we cannot: ${why}: without 3 of its 5 entries it would be another list`,
    );
    expect(to.images.size).toBe(0);
    await copyBetween(from, to, { ...some("strip"), signatures: "remove-from-list" });
    expect(to.images.get("b")?.signatures.get("")).toBeUndefined();
  });

  test.each(["keep", "strip"] as const)(
    "G1 asks about a list from which images are left out: %s",
    async (others) => {
      const to = new FaultyTransport(new MemoryTransport());
      const policy = rejecting(list.manifest.digest);
      const failure = await failureOf(copyBetween(holding(list), to, { ...some(others), policy }));
      expect(failure.code).toBe("rejected");
      expect(to.operations).toEqual([]);
      // Not asked about: what does not travel.
      const lenient = rejecting(arm64 ?? "");
      await copyBetween(holding(list), to, { ...some(others), policy: lenient });
      const names = list.images.map(
        (_image, index) =>
          ["linux/amd64", "linux/arm64", "linux/arm", "unknown/unknown", "/"][index] ?? "",
      );
      const platforms = names.map((name) => {
        const [os = "", architecture = ""] = name.split("/");
        return { os, architecture };
      });
      await copyBetween(holding(list), to, { images: { platforms, others }, policy });
    },
  );

  test("refuses before the policy is asked where there is no such image", async () => {
    const images = { platforms: [{ os: "plan9", architecture: "amd64" }], others: "keep" } as const;
    const policy = rejecting(list.manifest.digest);
    const failure = await failureOf(
      copyBetween(holding(list), new MemoryTransport(), { images, policy }),
    );
    expect(failure.message).toBe(
      "preparing instances for copy: no instances found for platform plan9/amd64",
    );
  });

  test("takes an image that is no list, whatever is asked of lists", async () => {
    const image = sampleImage({ seed: "single" });
    const { digest } = await copyBetween(holding(image), new MemoryTransport(), some("strip"));
    expect(String(digest)).toBe(image.manifest.digest);
  });

  test.each(["system", "single"])("has no list signatures to remove: %s", async (what) => {
    const from = holding(what === "single" ? sampleImage({ seed: "single" }) : list);
    const copying = copyBetween(from, new MemoryTransport(), { signatures: "remove-from-list" });
    expect((await failureOf(copying)).message).toBe(
      "RemoveListSignatures is not applicable when copying a single instance",
    );
  });

  test("says which image is another one where the list has to stay", async () => {
    const from = new MemoryTransport();
    const docker = sampleList({ seed: "signed", format: "docker" });
    from.add("a", docker, [new Uint8Array([0x90])]);
    const { dockerList, oci, schema2 } = manifestTypes;
    const to = new MemoryTransport({ traits: { manifestTypes: [oci, dockerList] } });
    const failure = await failureOf(copyBetween(from, to, { images: "all" }));
    const first = docker.images[0]?.manifest.digest ?? "";
    expect(failure.message).toMatch(
      new RegExp(
        `^Manifest list must be converted to type "${RegExp.escape(dockerList)}" to be written to destination, but we cannot modify it: "Would invalidate signatures": image ${first} became sha256:[0-9a-f]{64}, because it was converted from ${RegExp.escape(schema2)} to ${RegExp.escape(oci)}$`,
      ),
    );
    expect(failure.hint).toContain("--remove-signatures");
    expect(to.images.size).toBe(0);
  });

  test.each([
    ["refused", ["ociIndex", "dockerList"], undefined],
    ["refused", ["dockerList"], { format: manifestTypes.schema2 }],
    ["unavailable", ["ociIndex"], undefined],
  ] as const)("tells of every attempt to write a list: %s, %j", async (code, types, wish) => {
    const inner = new MemoryTransport();
    const to: Transport = {
      name: "memory",
      checkPolicyScope: () => {},
      parseReference: (text) => {
        const reference = inner.parseReference(text);
        return {
          ...reference,
          openDestination: async (context) =>
            Object.assign(await reference.openDestination(context), {
              putManifest: async () => {
                throw new Failure(code, "no", { missingBlobs: [] });
              },
            }),
        };
      },
    };
    const copying = copyBetween(holding(list), to, { images: "index-only", ...wish });
    const told = types.map((type) => `${manifestTypes[type]}(no)`).join(", ");
    expect(await failureOf(copying)).toMatchObject({
      code,
      message: `Uploading manifest list failed, attempted the following formats: ${told}`,
      hint: expect.stringContaining("--strip-removed-platforms"),
    });
  });

  test("says why a list has to stay of its type", async () => {
    const { oci, dockerList, ociIndex } = manifestTypes;
    const to = new MemoryTransport({ traits: { manifestTypes: [oci, dockerList] } });
    const wish = { images: "all", preserveDigests: true } as const;
    const failure = await failureOf(copyBetween(holding(list), to, wish));
    expect(failure.message).toBe(
      `Manifest list must be converted to type "${dockerList}" to be written to destination, but we cannot modify it: "Instructed to preserve digests": it is of type ${ociIndex}, and the destination takes ${dockerList}`,
    );
    const asked = { ...wish, format: manifestTypes.schema2 };
    const forced = await failureOf(copyBetween(holding(list), new MemoryTransport(), asked));
    expect(forced.message).toEndWith(`, and what was asked for is ${dockerList}`);
  });

  test.each([
    ["copy", true, true],
    ["remove-from-list", false, true],
    ["remove", false, false],
  ] as const)(
    "brings signatures of the list and of its images: %s",
    async (signatures, lists, images) => {
      const from = holding(list);
      const kept = from.images.get("a");
      const [ofList, ofImage] = [[new Uint8Array([0x90, 1])], [new Uint8Array([0x90, 2])]];
      const signed = new Map([
        ["", ofList],
        [arm64 ?? "", ofImage],
      ]);
      from.images.set("a", { manifests: kept?.manifests ?? new Map(), signatures: signed });
      const to = new MemoryTransport();
      const { events } = await copyBetween(from, to, { images: "all", signatures });
      const found = to.images.get("b")?.signatures;
      expect(found?.get("")).toEqual(lists ? ofList : undefined);
      expect(found?.get(arm64 ?? "")).toEqual(images ? ofImage : undefined);
      expect(found?.get(amd64 ?? "")).toBeUndefined();
      const sought = events.filter(({ kind }) => kind === "signatures-sought");
      expect(sought.length).toBe((lists ? 1 : 0) + (images ? list.images.length : 0));
    },
  );

  test("carries no list inside of a list, and says what to do", async () => {
    const [image] = list.images;
    if (image === undefined) throw new Error("no image");
    const inner = { mediaType: list.manifest.mediaType, digest: list.manifest.digest, size: 1 };
    const bytes = new TextEncoder().encode(
      JSON.stringify(ociIndexSample([{ ...inner, size: list.manifest.bytes.length }])),
    );
    const manifest = { mediaType: manifestTypes.ociIndex, bytes, digest: digestOf(bytes) };
    const from = holding({
      kind: "list",
      manifest,
      images: [{ ...image, manifest: list.manifest }],
    });
    const failure = await failureOf(copyBetween(from, new MemoryTransport(), { images: "all" }));
    expect(failure.message).toBe(
      "copying image 1/1 from manifest list: Unexpectedly received a manifest list instead of a manifest for a single image",
    );
    expect(failure.hint).toContain(list.manifest.digest);
  });

  test.each([
    ["all", "copying image 1/"],
    ["system", "copying system image from manifest list: "],
  ] as const)(
    "says of an image that is missing where it was looked for (%s)",
    async (images, where) => {
      const from = holding(list);
      const first = list.images[0]?.manifest.digest ?? "";
      const manifests = from.images.get("a")?.manifests as Map<string, unknown>;
      expect(manifests.delete(first)).toBe(true);
      const { message } = await failureOf(copyBetween(from, new MemoryTransport(), { images }));
      expect(message).toStartWith(where);
      expect(message).toContain("determining manifest MIME type for memory:a: ");
    },
  );

  test("says which destinations hold no lists", async () => {
    const to = new MemoryTransport({ traits: { holdsLists: false } });
    const failure = await failureOf(copyBetween(holding(list), to, { images: "all" }));
    expect(failure.message).toBe(
      'copying multiple images: destination transport "memory" does not support copying multiple images as a group',
    );
  });
});
