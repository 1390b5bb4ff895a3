import { describe, expect, test } from "bun:test";

import { existsSync } from "node:fs";

import { parseDigest } from "../../../core/content/digest.ts";
import type { Transport } from "../../../core/image/transport.ts";
import { jobsFor } from "../../../core/sync/jobs.ts";
import type { SyncEvent } from "../../../core/sync/sync.ts";
import type { SyncImage } from "../../../core/sync/sync-image.ts";
import { dir } from "../../../transports/dir/reference.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { syncBetween } from "../../support/sync-run.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const names = ["a", "b", "c", "d", "e"];

function holding(): MemoryTransport {
  const memory = new MemoryTransport();
  for (const name of names) memory.add(name, sampleImage({ seed: name, ballastBytes: 10 }));
  return memory;
}

function begun(events: readonly SyncEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "image-begun" ? [event.from] : []));
}

describe("syncImages", () => {
  test("copies all images, and tells of them in their order", async () => {
    const into = new MemoryTransport();
    const { results, events } = await syncBetween(holding(), into, names);
    expect([...into.images.keys()].toSorted()).toEqual(names);
    expect(results.map(({ outcome }) => outcome)).toEqual(names.map(() => "copied"));
    expect(begun(events)).toEqual(names.map((name) => `memory:${name}`));
    const ended = events.filter(({ kind }) => kind === "image-ended");
    expect(ended.length).toBe(names.length);
    // All that belongs to an image stands together.
    const copies = events.flatMap((event) =>
      event.kind === "copy" ? [event.event.copy ?? 0] : [],
    );
    expect(copies).toEqual(copies.toSorted());
  });

  test("goes on after a failure if that is wanted, and says what failed", async () => {
    const from = holding();
    from.images.delete("c");
    const into = new MemoryTransport();
    const { results } = await syncBetween(from, into, names, { keepsGoing: true });
    expect([...into.images.keys()].toSorted()).toEqual(["a", "b", "d", "e"]);
    expect(results[2]).toMatchObject({ from: "memory:c", outcome: "failed" });
    expect(results[2]?.failure?.code).toBe("not-found");
  });

  test("stops at the first failure otherwise, and names the image", async () => {
    const from = holding();
    from.images.delete("c");
    const failure = await rejection(syncBetween(from, new MemoryTransport(), names));
    expect(failure.message).toStartWith('Error copying ref "memory:c": ');
    expect(failure.code).toBe("not-found");
  });

  test("copies what stands before a failure, and says nothing of what stands behind", async () => {
    const from = holding();
    for (const name of ["c", "e"]) from.images.delete(name);
    const into = new MemoryTransport();
    const events: SyncEvent[] = [];
    const tell = (event: SyncEvent) => events.push(event);
    const failure = await rejection(syncBetween(from, into, names, { parallelImages: 5, tell }));
    expect(failure.message).toStartWith('Error copying ref "memory:c": ');
    expect([into.images.has("a"), into.images.has("b")]).toEqual([true, true]);
    expect(begun(events)).toEqual(["a", "b", "c"].map((name) => `memory:${name}`));
  });

  test("moves a blob once that several images share, however many are copied at a time", async () => {
    const from = new MemoryTransport();
    const shared = sampleImage({ seed: "shared" });
    for (const name of names) from.add(name, shared);
    let puts = 0;
    const into = new MemoryTransport();
    const counting = new Proxy(into, {
      get(target, key) {
        if (key !== "parseReference") return Reflect.get(target, key);
        return (text: string) => {
          const reference = target.parseReference(text);
          return {
            ...reference,
            openDestination: async (context: never) => {
              const writer = await reference.openDestination(context);
              const put = writer.putBlob.bind(writer);
              writer.putBlob = (...args) => {
                puts++;
                return put(...args);
              };
              return writer;
            },
          };
        };
      },
    });
    await syncBetween(from, counting, names, { parallelImages: 5 });
    expect(puts).toBe(shared.layers.length + 1);
    expect(into.blobs.has(parseDigest(shared.config.digest))).toBe(true);
  });

  test("puts no image into the directory of another one", async () => {
    using workspace = new Workspace();
    const from = new MemoryTransport();
    const inside = [workspace.at("x/y:1"), workspace.at("x")];
    for (const name of inside) from.add(name, sampleImage({ seed: name }));
    const failure = await rejection(syncBetween(from, dir, inside));
    expect(failure.code).toBe("usage");
    expect(failure.message).toContain("which it is inside of");
    expect(existsSync(workspace.at("x"))).toBe(false);
  });

  test("never writes two images to one name at the same time", async () => {
    const from = holding();
    const into = new MemoryTransport();
    let [writing, most] = [0, 0];
    const watched: Transport = {
      ...into,
      parseReference(text) {
        const reference = into.parseReference(text);
        return {
          ...reference,
          async openDestination(own) {
            const writer = await reference.openDestination(own);
            most = Math.max(most, ++writing);
            const commit = writer.commit.bind(writer);
            return Object.assign(writer, {
              async commit() {
                await commit();
                writing--;
              },
            });
          },
        };
      },
      checkPolicyScope() {},
    };
    const images = names.map((name): SyncImage => {
      const context = transportContext();
      return { reference: from.parseReference(name), context, path: name, below: name };
    });
    const jobs = jobsFor([{ images }], () => "x");
    const { results } = await syncBetween(from, watched, names, { jobs, parallelImages: 5 });
    expect(results.length).toBe(names.length);
    expect(most).toBe(1);
  });
});
