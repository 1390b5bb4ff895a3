import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import type { ByteStream } from "../../../core/blob/stream.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import {
  copyToSeveral,
  type DestinationResult,
  type SeveralRequest,
} from "../../../core/copy/copy-to-several.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import { Tally } from "../../../core/copy/tally.ts";
import { Failure } from "../../../core/failure.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import type { Transport } from "../../../core/image/transport.ts";
import { Gate, type Policy } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { failureOf, holding, keptImage, rejecting } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport, type MemoryWish } from "../../support/memory-transport.ts";
import { randomBytes } from "../../support/random.ts";
import { blobsOf, type Sample, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ seed: "several", format: "oci", layers: ["gzip", "zstd", "none"] });
const list = sampleList({ seed: "several" });
const chunkBytes = 4096;

/** A transport that counts how often each blob is opened, and may give wrong bytes. */
function counting(
  inner: Transport,
  wrong: (digest: string, time: number) => boolean = () => false,
) {
  const opened = new Map<string, number>();
  const transport: Transport = {
    name: inner.name,
    checkPolicyScope: () => {},
    parseReference: (text) => {
      const reference = inner.parseReference(text);
      return {
        ...reference,
        openSource: async (context) => {
          const source = await reference.openSource(context);
          return {
            name: source.name,
            concurrent: source.concurrent,
            readManifest: (instance) => source.readManifest(instance),
            readSignatures: (of) => source.readSignatures(of),
            [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
            openBlob: async (blob, reading) => {
              const time = (opened.get(blob.digest) ?? 0) + 1;
              opened.set(blob.digest, time);
              const bytes = await source.openBlob(blob, reading);
              return wrong(blob.digest, time) ? changed(bytes) : bytes;
            },
          };
        },
      };
    },
  };
  return { transport, opened };
}

async function* changed(bytes: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) yield chunk.map((byte) => byte ^ 1);
}

/** A transport whose destinations do each thing only after `pause`. */
function paced(inner: Transport, pause: () => Promise<void>): Transport {
  return {
    name: inner.name,
    checkPolicyScope: () => {},
    parseReference: (text) => {
      const reference = inner.parseReference(text);
      return {
        ...reference,
        openDestination: async (context) => {
          const writer = await reference.openDestination(context);
          const slow: ImageDestination = {
            name: writer.name,
            traits: writer.traits,
            reuseBlob: async (wanted, role) => {
              await pause();
              return writer.reuseBlob(wanted, role);
            },
            putBlob: async (blob, role, signal) => {
              await pause();
              const stage = async function* (bytes: ByteStream) {
                for await (const chunk of bytes) {
                  await pause();
                  yield chunk;
                }
              };
              return writer.putBlob(blob.through(stage, blob), role, signal);
            },
            putManifest: (manifest, instance) => writer.putManifest(manifest, instance),
            putSignatures: (signatures, of) => writer.putSignatures(signatures, of),
            commit: () => writer.commit(),
            [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
          };
          return slow;
        },
      };
    },
  };
}

interface SeveralWish extends Partial<Omit<SeveralRequest, "source" | "destinations" | "gate">> {
  readonly policy?: Policy;
}

async function copySeveral(
  from: Transport,
  into: readonly Transport[],
  { policy = acceptEverything, ...rest }: SeveralWish = {},
): Promise<{
  readonly results: readonly DestinationResult[];
  readonly events: readonly ToldEvent[];
}> {
  const events: ToldEvent[] = [];
  using workspace = new Workspace();
  const context = transportContext({ temporaryDirectory: workspace.path });
  const results = await copyToSeveral({
    source: { reference: from.parseReference("a"), context },
    destinations: into.map((transport, number) => ({
      reference: transport.parseReference("b"),
      context: transportContext(),
      number,
    })),
    again: false,
    gate: new Gate(policy, { requireSigned: false, now: () => new Date(0) }),
    platform: { os: "linux", architecture: "amd64" },
    images: "system",
    preserveDigests: false,
    signatures: "copy",
    parallelBlobs: 3,
    now: () => new Date("2024-03-01T12:00:00Z"),
    tell: (event) => events.push(event),
    ...rest,
  });
  expect(readdirSync(workspace.path)).toEqual([]);
  return { results, events };
}

function memories(count: number, wish?: MemoryWish): MemoryTransport[] {
  return Array.from({ length: count }, () => new MemoryTransport(wish));
}

function checkHolds(memory: MemoryTransport, sample: Sample): void {
  expect(memory.images.get("b")?.manifests.get("")?.bytes).toEqual(sample.manifest.bytes);
  for (const { digest, bytes } of blobsOf(sample)) {
    expect(memory.blobs.get(parseDigest(digest))).toEqual(bytes);
  }
}

function onceEach(sample: Sample): Map<string, number> {
  return new Map(blobsOf(sample).map(({ digest }) => [digest, 1]));
}

function sorted(opened: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...opened].sort(([one], [other]) => (one < other ? -1 : 1));
}

describe("copyToSeveral", () => {
  test.each([
    ["an image", image, "system"],
    ["a list", list, "all"],
  ] as const)(
    "fetches each blob of %s once, and asks the policy once",
    async (_, sample, images) => {
      const { transport, opened } = counting(holding(sample, { chunkBytes }));
      let asked = 0;
      const policy: Policy = {
        requirementsFor: (name) => {
          asked += 1;
          return acceptEverything.requirementsFor(name);
        },
      };
      const into = memories(3);
      const { results } = await copySeveral(transport, into, { images, policy });
      expect(results.map(({ kind }) => kind)).toEqual(["written", "written", "written"]);
      for (const memory of into) checkHolds(memory, sample);
      expect(sorted(opened)).toEqual(sorted(onceEach(sample)));
      expect(asked).toBe(sample.kind === "list" ? sample.images.length : 1);
    },
  );

  test("gives each destination what it wants", async () => {
    const { transport, opened } = counting(holding(image, { chunkBytes }));
    const into = [
      new MemoryTransport({ traits: { layers: "compress" } }),
      new MemoryTransport({ traits: { layers: "decompress", concurrent: false } }),
      new MemoryTransport(),
    ] as const;
    await copySeveral(transport, into);
    expect(keptImage(into[0]).layers[2]?.mediaType).toEndWith("+gzip");
    expect(keptImage(into[1]).layers.map(({ digest }) => String(digest))).toEqual([
      ...image.diffIds,
    ]);
    checkHolds(into[2], image);
    expect(sorted(opened)).toEqual(sorted(onceEach(image)));
  });

  test("fetches nothing that nobody lacks, and what one lacks once", async () => {
    const { transport, opened } = counting(holding(image));
    const [first, second, third] = [holding(image), holding(image), new MemoryTransport()];
    const [layer] = image.layers;
    first.blobs.delete(parseDigest(layer?.digest ?? ""));
    second.blobs.delete(parseDigest(layer?.digest ?? ""));
    third.blobs.set(parseDigest(layer?.digest ?? ""), layer?.bytes ?? new Uint8Array());
    await copySeveral(transport, [first, second, third]);
    for (const memory of [first, second, third]) checkHolds(memory, image);
    expect(sorted(opened)).toEqual(sorted(onceEach(image)));
  });

  test("tells of each destination which it is, and of the source once", async () => {
    const { events } = await copySeveral(holding(image), memories(2));
    expect(events[0]).toEqual({
      kind: "copy-begun",
      source: "memory:a",
      destinations: ["memory:b", "memory:b"],
    });
    expect(events.filter(({ kind }) => kind === "policy-decided").length).toBe(1);
    const ended = events.filter(({ kind }) => kind === "copy-ended");
    expect(ended.map(({ destination }) => destination).sort()).toEqual([0, 1]);
    const tally = new Tally();
    for (const event of events) tally.note(event);
    expect(tally.summary).toMatchObject({ copies: 2, failures: 0, blobs: { sent: 8 } });
  });

  test("opens no destination where the policy refuses", async () => {
    const into = [0, 1].map(() => new FaultyTransport(new MemoryTransport()));
    const policy = rejecting(image.manifest.digest);
    expect((await failureOf(copySeveral(holding(image), into, { policy }))).code).toBe("rejected");
    for (const { operations } of into) expect(operations).toEqual([]);
  });

  test("fails at each that is tried again where the source fails, and at no other", async () => {
    const { results, events } = await copySeveral(new MemoryTransport(), memories(2), {
      again: true,
    });
    expect(results).toMatchObject(
      Array(2).fill({ kind: "failed", failure: { code: "not-found" } }),
    );
    const failed = events.filter(({ kind }) => kind === "copy-failed");
    expect(failed.map(({ destination }) => destination)).toEqual([0, 1]);
  });

  test("completes the others whatever fails in one", async () => {
    for (let failAt = 1; ; failAt++) {
      const { transport, opened } = counting(holding(image, { chunkBytes }));
      const faulty = new FaultyTransport(new MemoryTransport(), failAt);
      const into = memories(2);
      const [first, ...others] = into;
      if (first === undefined) throw new Error("no destination");
      const { results } = await copySeveral(transport, [first, faulty, ...others]);
      for (const memory of into) checkHolds(memory, image);
      expect(sorted(opened)).toEqual(sorted(onceEach(image)));
      if (!faulty.failed) return;
      expect(results.map(({ kind }) => kind)).toEqual(["written", "failed", "written"]);
    }
  });

  test("lets nobody wait for one that is slow, and keeps all of it for that one", async () => {
    const { transport, opened } = counting(holding(list, { chunkBytes }));
    const gate = Promise.withResolvers<void>();
    const slow = new MemoryTransport();
    const fast = new MemoryTransport();
    const copying = copySeveral(transport, [paced(slow, () => gate.promise), fast], {
      images: "all",
    });
    while (!fast.images.has("b")) await Bun.sleep(1);
    checkHolds(fast, list);
    expect(slow.blobs.size).toBe(0);
    gate.resolve();
    await copying;
    checkHolds(slow, list);
    expect(sorted(opened)).toEqual(sorted(onceEach(list)));
  });

  test("reads a blob that came out wrong once more, for all", async () => {
    const [layer] = image.layers;
    const bad = (digest: string, time: number) => digest === layer?.digest && time === 1;
    const { transport, opened } = counting(holding(image, { chunkBytes }), bad);
    const into = memories(3);
    await copySeveral(transport, into);
    for (const memory of into) checkHolds(memory, image);
    expect(opened.get(layer?.digest ?? "")).toBe(2);
  });

  test("gives up where it stays wrong, and publishes nothing", async () => {
    const [layer] = image.layers;
    const { transport } = counting(holding(image), (digest) => digest === layer?.digest);
    const into = memories(2);
    const { results } = await copySeveral(transport, into);
    for (const result of results) {
      expect(result).toMatchObject({ kind: "failed", failure: { code: "corrupt" } });
    }
    for (const memory of into) {
      expect(memory.images.size).toBe(0);
      expect(memory.blobs.has(parseDigest(layer?.digest ?? ""))).toBe(false);
    }
  });

  test("goes one by one where the source allows no more at a time", async () => {
    const { transport, opened } = counting(holding(image, { concurrent: false, chunkBytes }));
    const into = memories(3);
    await copySeveral(transport, into);
    for (const memory of into) checkHolds(memory, image);
    expect(sorted(opened)).toEqual(sorted(onceEach(image)));
  });

  test("ends in any order of asking, and fetches nothing twice", async () => {
    for (let seed = 0; seed < 15; seed++) {
      const dice = [...randomBytes(`several/${seed}`, 4096)];
      const roll = (sides: number) => (dice.pop() ?? 0) % sides;
      const sample = sampleImage({
        seed: `several/${seed}`,
        layers: Array.from(
          { length: 1 + roll(6) },
          () => (["gzip", "none"] as const)[roll(2)] ?? "none",
        ),
        ballastBytes: 1 + roll(200) * 500,
      });
      const { transport, opened } = counting(
        holding(sample, { chunkBytes: 1000 + roll(255) * 100 }),
      );
      const into = Array.from({ length: 2 + roll(3) }, () => {
        const memory = new MemoryTransport({ traits: { concurrent: roll(2) === 0 } });
        for (const { digest, bytes } of sample.layers) {
          if (roll(3) === 0) memory.blobs.set(parseDigest(digest), bytes);
        }
        const failsAt = roll(4) === 0 ? 1 + roll(12) : Infinity;
        return { memory, faulty: new FaultyTransport(memory, failsAt) };
      });
      const pause = () => (roll(4) === 0 ? Bun.sleep(roll(3)) : Promise.resolve());
      const { results } = await copySeveral(
        transport,
        into.map(({ faulty }) => paced(faulty, pause)),
        { parallelBlobs: 1 + roll(4) },
      );
      for (const [index, result] of results.entries()) {
        const { memory, faulty } = into[index] ?? {};
        if (memory === undefined || faulty === undefined) throw new Error("no destination");
        expect([seed, result.kind]).toEqual([seed, faulty.failed ? "failed" : "written"]);
        if (result.kind === "written") checkHolds(memory, sample);
      }
      for (const [digest, times] of opened)
        expect([seed, digest, times]).toEqual([seed, digest, 1]);
    }
  });

  test("ends all of it when the whole is ended", async () => {
    const stop = new AbortController();
    const into = memories(2).map((memory) =>
      paced(memory, async () => {
        stop.abort(new Failure("canceled", "enough"));
        stop.signal.throwIfAborted();
      }),
    );
    const { results } = await copySeveral(holding(image), into);
    for (const result of results) {
      expect(result).toMatchObject({ kind: "failed", failure: { code: "canceled" } });
    }
  });
});
