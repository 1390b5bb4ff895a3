import { describe, expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { copyImages } from "../../../core/copy/copy.ts";
import { copyToSeveral } from "../../../core/copy/copy-to-several.ts";
import { Rehearsal } from "../../../core/copy/rehearsal.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { Gate, type Policy } from "../../../core/trust/gate.ts";
import { bundleOf, referrerOf } from "../../support/bundles.ts";
import { copyBetween, type EngineWish, failureOf, rejecting } from "../../support/engine.ts";
import { MemoryTransport, type MemoryWish } from "../../support/memory-transport.ts";
import { type Sample, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const image = sampleImage({ format: "oci" });
const bundle = bundleOf();
const holder: MemoryWish = { traits: { holdsBundles: true } };

/** Lets everything in, and says that it rests on bundles. */
const restingOnBundles: Policy = {
  requirementsFor: () => [
    {
      type: "sigstoreBundle",
      verifiesSignatures: true,
      readsBundles: true,
      decide: async () => ({ allowed: true }),
    },
  ],
};

function referrerTo({ digest, bytes }: Sample["manifest"]): Uint8Array {
  return referrerOf({ digest, size: bytes.length }, bundle);
}

/** Returns a place that has a sample, and a bundle about it and each of its images. */
function withBundles(sample: Sample, wish?: MemoryWish): MemoryTransport {
  const memory = new MemoryTransport(wish);
  memory.add("a", sample);
  memory.blobs.set(digestOf(bundle), bundle);
  const images = "images" in sample ? sample.images : [];
  for (const { manifest } of [sample, ...images]) {
    memory.referrers.set(parseDigest(manifest.digest), [referrerTo(manifest)]);
  }
  return memory;
}

async function carried(from: MemoryTransport, into: MemoryTransport, wish: EngineWish = {}) {
  const { events } = await copyBetween(from, into, wish);
  const told = events.filter(({ kind }) => kind === "bundles-found");
  return { digests: [...into.referrers.keys()].map(String), told };
}

describe("bundles", () => {
  test("travel, byte for byte and with all they consist of, where the policy rests on them", async () => {
    const into = new MemoryTransport(holder);
    const { digests, told } = await carried(withBundles(image), into, { policy: restingOnBundles });
    expect(digests).toEqual([image.manifest.digest]);
    expect([...into.referrers.values()]).toEqual([[referrerTo(image.manifest)]]);
    expect(into.blobs.get(digestOf(bundle))).toEqual(bundle);
    expect(into.blobs.has(digestOf(new TextEncoder().encode("{}")))).toBe(true);
    expect(told).toMatchObject([{ kind: "bundles-found", of: "image", count: 1 }]);
  });

  test("travel where the source offers them", async () => {
    const into = new MemoryTransport(holder);
    const from = withBundles(image, { offersBundles: true });
    expect((await carried(from, into)).digests).toHaveLength(1);
  });

  test.each<[string, MemoryWish, EngineWish]>([
    ["nobody asks for them", holder, {}],
    ["the destination holds none", {}, { policy: restingOnBundles }],
    ["signatures are to be removed", holder, { policy: restingOnBundles, signatures: "remove" }],
  ])("are not even looked for where %s", async (_, wish, rest) => {
    const [from, into] = [withBundles(image), new MemoryTransport(wish)];
    expect(await carried(from, into, rest)).toEqual({ digests: [], told: [] });
    expect(from.sought).toBe(0);
  });

  test("keep the manifest as it is", async () => {
    const wish = { policy: restingOnBundles, format: manifestTypes.schema2 } as const;
    const into = new MemoryTransport(holder);
    const { events, digest } = await copyBetween(withBundles(image), into, wish);
    expect(String(digest)).toBe(image.manifest.digest);
    const planned = events.find(({ kind }) => kind === "image-planned");
    expect(planned).toMatchObject({ frozenBecause: "Would invalidate signatures" });
    const compressing = new MemoryTransport({
      traits: { holdsBundles: true, manifestTypes: [manifestTypes.schema2] },
    });
    const failure = await failureOf(
      copyBetween(withBundles(image), compressing, { policy: restingOnBundles }),
    );
    expect(failure.message).toContain("Would invalidate signatures");
    expect(compressing.referrers.size).toBe(0);
  });

  test("that are about something else, or are no bundles, stay", async () => {
    const from = withBundles(image);
    const { digest, bytes } = image.manifest;
    const subject = { digest, size: bytes.length };
    from.referrers.set(parseDigest(digest), [
      referrerOf({ ...subject, digest: `sha256:${"1".repeat(64)}` }, bundle),
      referrerOf(subject, bundle, { artifactType: "application/spdx+json" }),
    ]);
    const into = new MemoryTransport(holder);
    expect((await carried(from, into, { policy: restingOnBundles })).digests).toEqual([]);
  });

  test("that are not what was promised end the copy before anything is written", async () => {
    const from = withBundles(image);
    from.blobs.set(digestOf(bundle), bundle.with(0, 0));
    const into = new MemoryTransport(holder);
    const failure = await failureOf(copyBetween(from, into, { policy: restingOnBundles }));
    expect(failure.message).toMatch(/^reading Sigstore bundles: Digest did not match/);
    expect(failure).toMatchObject({ code: "corrupt", side: "source" });
    expect(failure.hint).toContain("--remove-signatures");
    expect([into.blobs.size, into.images.size, into.referrers.size]).toEqual([0, 0, 0]);
  });

  test("G1: do not travel with what is rejected", async () => {
    const into = new MemoryTransport(holder);
    const from = withBundles(image, { offersBundles: true });
    await failureOf(copyBetween(from, into, { policy: rejecting(image.manifest.digest) }));
    expect([into.referrers.size, into.blobs.size]).toEqual([0, 0]);
  });

  test("of a list and of its images travel, or those of the images alone", async () => {
    const list = sampleList();
    const all = [...list.images, list].map(({ manifest }) => manifest.digest as string);
    const wish = { policy: restingOnBundles, images: "all" } as const;
    const into = new MemoryTransport(holder);
    expect((await carried(withBundles(list), into, wish)).digests).toEqual(all);
    const other = new MemoryTransport(holder);
    const without = { ...wish, signatures: "remove-from-list" } as const;
    const { digests, told } = await carried(withBundles(list), other, without);
    expect(digests).toEqual(all.slice(0, -1));
    expect(told).toHaveLength(list.images.length);
  });

  test("are a reason to copy an image that is there, if they can be held", async () => {
    const wish = { policy: restingOnBundles, isPresent: async () => true };
    const into = new MemoryTransport(holder);
    expect((await carried(withBundles(image), into, wish)).digests).toHaveLength(1);
    const unable = new MemoryTransport();
    await carried(withBundles(image), unable, wish);
    expect(unable.images.size).toBe(0);
    const none = new MemoryTransport(holder);
    const bare = new MemoryTransport();
    bare.add("a", image);
    await carried(bare, none, wish);
    expect(none.images.size).toBe(0);
  });

  test("travel to those of several destinations that hold some", async () => {
    const from = withBundles(image);
    const [able, unable] = [new MemoryTransport(holder), new MemoryTransport()];
    const context = transportContext();
    await copyToSeveral({
      source: { reference: from.parseReference("a"), context },
      destinations: [able, unable].map((each, number) => ({
        reference: each.parseReference("b"),
        context,
        number,
      })),
      again: false,
      gate: new Gate(restingOnBundles, { requireSigned: false, now: () => new Date(0) }),
      platform: { os: "linux", architecture: "amd64" },
      images: "system",
      preserveDigests: false,
      signatures: "copy",
      parallelBlobs: 3,
      now: () => new Date(0),
      tell: () => {},
    });
    expect([able.referrers.size, unable.referrers.size]).toEqual([1, 0]);
    expect([able.images.size, unable.images.size]).toEqual([1, 1]);
  });

  test("are foretold by a dry run, and not written", async () => {
    const [from, into] = [withBundles(image), new MemoryTransport(holder)];
    const kinds: string[] = [];
    const rehearsal = new Rehearsal();
    const context = transportContext();
    const request = rehearsal.request({
      source: { reference: from.parseReference("a"), context },
      destination: { reference: into.parseReference("b"), context },
      gate: new Gate(restingOnBundles, { requireSigned: false, now: () => new Date(0) }),
      platform: { os: "linux", architecture: "amd64" },
      images: "system",
      preserveDigests: false,
      signatures: "copy",
      parallelBlobs: 3,
      now: () => new Date(0),
      tell: ({ kind }) => kinds.push(kind),
    } as const);
    await copyImages({ ...request, destination: rehearsal.destination(request.destination) });
    expect(kinds).toContain("bundles-found");
    expect([into.referrers.size, into.blobs.size]).toEqual([0, 0]);
  });
});
