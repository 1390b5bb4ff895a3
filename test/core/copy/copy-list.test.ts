import { describe, expect, test } from "bun:test";

import type { Digest } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import {
  copyBetween,
  failureOf,
  holding,
  keptImage,
  keptList,
  rejecting,
} from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleList } from "../../support/sample-images.ts";

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

  test("says which destinations hold no lists", async () => {
    const to = new MemoryTransport({ traits: { holdsLists: false } });
    const failure = await failureOf(copyBetween(holding(list), to, { images: "all" }));
    expect(failure.message).toBe(
      'copying multiple images: destination transport "memory" does not support copying multiple images as a group',
    );
  });
});
