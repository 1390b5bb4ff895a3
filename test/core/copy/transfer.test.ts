import { describe, expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { type BlobStep, planImage } from "../../../core/copy/plan.ts";
import { type Transfer, transferBlobs } from "../../../core/copy/transfer.ts";
import { Failure } from "../../../core/failure.ts";
import type { ImageDestination } from "../../../core/image/destination.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import { admitted } from "../../support/carry.ts";
import { failureOf } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const sample = sampleImage({ seed: "transfer", format: "oci", layers: Array(6).fill("gzip") });

async function prepared(change: Partial<ImageDestination> = {}) {
  const { image } = await admitted(sample);
  const memory = new MemoryTransport();
  const opened = await memory.parseReference("b").openDestination(transportContext());
  const manifest = parseManifest(image.manifest);
  if (manifest.kind !== "image") throw new Error("no image");
  const { traits } = opened;
  const { steps } = planImage({ manifest, traits, frozenBecause: undefined, format: undefined });
  const transfer: Transfer = {
    image,
    writer: Object.assign(opened, change),
    parallelBlobs: 3,
    signal: new AbortController().signal,
    tell: () => undefined,
    diffIdOf: async () => undefined,
  };
  return { transfer, steps, memory };
}

describe("transferBlobs", () => {
  test("says what the destination holds for each blob", async () => {
    const { transfer, steps, memory } = await prepared();
    const moved = await transferBlobs(steps, transfer);
    for (const { blob } of steps) {
      expect(moved.get(blob.digest)?.stored).toMatchObject({ digest: blob.digest, by: "sending" });
      expect(memory.blobs.has(blob.digest)).toBe(true);
    }
  });

  test("keeps to the number of blobs at a time", async () => {
    let now = 0;
    let most = 0;
    const { transfer, steps } = await prepared({
      putBlob: async (blob) => {
        most = Math.max(most, ++now);
        await Bun.sleep(1);
        now -= 1;
        if (blob.digest === undefined) throw new Error("no digest");
        return { digest: blob.digest, size: blob.size ?? 0, by: "sending" };
      },
    });
    await transferBlobs(steps, transfer);
    expect(most).toBe(3);
  });

  test("moves one at a time where one side allows no more", async () => {
    const { transfer, steps } = await prepared();
    const { writer } = transfer;
    const begun: string[] = [];
    const tell: Transfer["tell"] = ({ kind, ...event }) => {
      if (kind === "blob-begun" || kind === "blob-ended")
        begun.push(`${kind} ${JSON.stringify(event)}`);
    };
    const serial = Object.assign(writer, { traits: { ...writer.traits, concurrent: false } });
    await transferBlobs(steps, { ...transfer, writer: serial, tell });
    expect(begun.map((line) => line.split(" ")[0])).toEqual(
      steps.flatMap(() => ["blob-begun", "blob-ended"]),
    );
  });

  test("stops the others after the first failure, and throws it", async () => {
    let aborted = 0;
    const { transfer, steps } = await prepared({
      putBlob: async (blob, _role, signal) => {
        if (blob.digest === steps[1]?.blob.digest) throw new Failure("io", "disk is full");
        await Bun.sleep(5);
        if (signal?.aborted === true) aborted += 1;
        signal?.throwIfAborted();
        throw new Failure("bug", "not stopped");
      },
    });
    const failure = await failureOf(transferBlobs(steps, transfer));
    expect(failure.message).toBe("writing blob: disk is full");
    expect(aborted).toBe(2);
  });

  test("reads none of the others once more because one came out wrong", async () => {
    const restarted: string[] = [];
    const { transfer, steps } = await prepared({
      putBlob: async ({ digest }, _role, signal) => {
        if (digest === steps[1]?.blob.digest) throw new Failure("corrupt", "has another digest");
        while (signal?.aborted !== true) await Bun.sleep(1);
        throw signal.reason;
      },
    });
    const tell: Transfer["tell"] = (event) => {
      if (event.kind === "blob-restarted") restarted.push(event.digest);
    };
    const failure = await failureOf(transferBlobs(steps, { ...transfer, tell }));
    expect(failure.message).toBe("writing blob: has another digest");
    expect(restarted).toEqual([String(steps[1]?.blob.digest)]);
  });

  test("asks the destination before it reads anything", async () => {
    const { transfer, steps } = await prepared({
      reuseBlob: async ({ digest, size }) => ({ digest, size: size ?? 0, by: "mounting" }),
      putBlob: async () => {
        throw new Failure("bug", "sent");
      },
    });
    const moved = await transferBlobs(steps, transfer);
    expect([...moved.values()].every(({ stored }) => stored.by === "mounting")).toBe(true);
  });

  test("ends with the signal of the whole copy", async () => {
    const stop = new AbortController();
    const { transfer, steps } = await prepared();
    stop.abort(new DOMException("stopped", "AbortError"));
    const failure = await failureOf(transferBlobs(steps, { ...transfer, signal: stop.signal }));
    expect(failure.code).toBe("canceled");
  });

  test("C2 refuses a size that is not the blob's", async () => {
    const { transfer, steps } = await prepared();
    const [first] = steps;
    const lying = { ...first, blob: { ...first?.blob, size: 5 } } as BlobStep;
    const failure = await failureOf(transferBlobs([lying], transfer));
    expect(failure).toMatchObject({ code: "corrupt" });
    expect(failure.message).toContain(
      `Blob ${parseDigest(lying.blob.digest)} is longer than its 5 bytes`,
    );
  });
});
