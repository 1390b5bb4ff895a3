import { describe, expect, test } from "bun:test";

import type { ToldEvent } from "../../../core/copy/events.ts";
import { about } from "../../../core/copy/events.ts";
import { ResultKeeper } from "../../../core/copy/result.ts";
import { copyBetween, holding, rejecting } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "result", format: "oci", layers: ["none", "gzip"] });
const list = sampleList({ seed: "result", format: "oci" });

function keeping(): { readonly keeper: ResultKeeper; readonly tell: (event: ToldEvent) => void } {
  const keeper = new ResultKeeper();
  return { keeper, tell: (event) => keeper.note(event) };
}

describe("ResultKeeper", () => {
  test("says what is where now, and under which digest", async () => {
    const { keeper, tell } = keeping();
    const to = new MemoryTransport({ traits: { layers: "compress" } });
    const { digest, manifest } = await copyBetween(holding(image), to, { tell });
    const [copy, ...others] = keeper.result.copies;
    expect(others).toEqual([]);
    expect(copy).toMatchObject({
      source: "memory:a",
      ok: true,
      attempts: 1,
      policy: [{ verdict: "admitted", digest: image.manifest.digest }],
    });
    const [there] = copy?.destinations ?? [];
    const { mediaType } = manifest;
    expect(there).toMatchObject({ destination: "memory:b", ok: true, digest, mediaType });
    expect(there?.manifests.map((each) => each.digest)).toEqual([digest]);
    const plain = there?.blobs.find((blob) => String(blob.digest) === image.layers[0]?.digest);
    expect(plain).toMatchObject({ outcome: "sent", storedAs: expect.any(String) });
    expect(there?.blobs).toHaveLength(3);
    expect(keeper.result.summary).toMatchObject({ copies: 1, blobs: { sent: 3 } });
  });

  test("says why nothing is there", async () => {
    const { keeper, tell } = keeping();
    const policy = rejecting(image.manifest.digest);
    await copyBetween(holding(image), new MemoryTransport(), { tell, policy }).catch(() => 0);
    tell({ kind: "failed", code: "rejected", message: "no" });
    expect(keeper.result).toMatchObject({
      copies: [
        {
          ok: false,
          policy: [{ verdict: "rejected", refusedBy: "picky" }],
          destinations: [{ destination: "memory:b", ok: false, manifests: [], blobs: [] }],
          failure: { code: "rejected" },
        },
      ],
      failure: { code: "rejected", message: "no" },
    });
  });

  test("holds all manifests of a list, in the order in which they were written", async () => {
    const { keeper, tell } = keeping();
    await copyBetween(holding(list), new MemoryTransport(), { images: "all", tell });
    const [there] = keeper.result.copies[0]?.destinations ?? [];
    expect(there?.manifests.map(({ of }) => of)).toEqual([
      ...list.images.map(() => "image" as const),
      "list",
    ]);
    expect(String(there?.digest)).toBe(list.manifest.digest);
  });

  test("forgets what an attempt that failed had done, but not that there was one", async () => {
    const { keeper, tell } = keeping();
    const policy = rejecting(image.manifest.digest);
    await copyBetween(holding(image), new MemoryTransport(), { tell, policy }).catch(() => 0);
    await copyBetween(holding(image), new MemoryTransport(), { tell });
    expect(keeper.result.copies).toMatchObject([{ ok: true, attempts: 2 }]);
    expect(keeper.result.copies[0]).not.toHaveProperty("failure");
    expect(keeper.result.copies[0]?.policy).toHaveLength(1);
  });

  test("keeps copies apart, and destinations", async () => {
    const { keeper, tell } = keeping();
    await copyBetween(holding(image), new MemoryTransport(), { tell: about({ copy: 3 }, tell) });
    tell({ kind: "copy-begun", copy: 4, source: "dir:a", destinations: ["dir:b", "dir:c"] });
    const ended = { kind: "copy-ended", mediaType: "m", copy: 4 } as const;
    const digest = keeper.result.copies[0]?.destinations[0]?.digest;
    if (digest === undefined) throw new Error("no digest");
    tell({ ...ended, digest, destination: 0 });
    tell({ kind: "copy-failed", code: "io", message: "full", copy: 4, destination: 1 });
    expect(keeper.result.copies.map(({ ok }) => ok)).toEqual([true, false]);
    expect(keeper.result.copies[1]?.destinations).toMatchObject([
      { destination: "dir:b", ok: true, digest },
      { destination: "dir:c", ok: false, failure: { code: "io", message: "full" } },
    ]);
  });

  test("counts attempts, and what the policy said at the last, where one destination is tried again", () => {
    const { keeper, tell } = keeping();
    const again = { kind: "copy-begun", source: "dir:a", destinations: ["dir:c"] } as const;
    const decided = {
      kind: "policy-decided",
      verdict: "admitted",
      image: "dir:a",
      by: "rules",
      rules: [],
      answers: [],
    } as const;
    tell({ ...again, destinations: ["dir:b", "dir:c"] });
    tell(decided);
    for (const _ of [2, 3]) {
      tell({ ...again, destination: 1 });
      tell(decided);
    }
    const [copy] = keeper.result.copies;
    expect([copy?.attempts, copy?.policy.length]).toEqual([3, 1]);
    expect(copy?.destinations.map(({ destination }) => destination)).toEqual(["dir:b", "dir:c"]);
  });
});
