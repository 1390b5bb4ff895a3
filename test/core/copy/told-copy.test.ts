import { describe, expect, test } from "bun:test";

import type { CopyEvent } from "../../../core/copy/events.ts";
import { telling, toldOf } from "../../../core/copy/told-copy.ts";
import { Failure } from "../../../core/failure.ts";
import { copyBetween, failureOf, holding, rejecting } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const image = sampleImage({ seed: "told", format: "oci" });
const list = sampleList({ seed: "told", format: "oci" });

describe("told", () => {
  test("says what is copied where, and what came of it", async () => {
    const { events, digest, manifest } = await copyBetween(holding(image), new MemoryTransport());
    expect(events[0]).toEqual({
      kind: "copy-begun",
      source: "memory:a",
      destinations: ["memory:b"],
    });
    const { mediaType } = manifest;
    expect(events.at(-1)).toEqual({ kind: "copy-ended", digest, mediaType });
  });

  test("says why the policy refused, and that this ended the copy", async () => {
    const events: CopyEvent[] = [];
    const policy = rejecting(image.manifest.digest);
    const tell = (event: CopyEvent) => events.push(event);
    await failureOf(copyBetween(holding(image), new MemoryTransport(), { policy, tell }));
    expect(events.map(({ kind }) => kind)).toEqual(["copy-begun", "policy-decided", "copy-failed"]);
    expect(events[1]).toMatchObject({ verdict: "rejected", refusedBy: "picky" });
    expect(events[2]).toMatchObject({
      code: "rejected",
      message: expect.stringContaining("Source image rejected: "),
      hint: expect.any(String),
    });
  });

  test("says which images of a list were admitted, and on which of them it works", async () => {
    const { events } = await copyBetween(holding(list), new MemoryTransport(), { images: "all" });
    const decided = events.filter((event) => event.kind === "policy-decided");
    expect(decided.slice(0, -1).every(({ by }) => by === "rules")).toBe(true);
    expect(decided).toHaveLength(list.images.length + 1);
    expect(decided.at(-1)?.by).toBe("images");
    const written = events.filter((event) => event.kind === "manifest-written");
    expect(written.map((event) => ("instance" in event ? event.instance : undefined))).toEqual([
      ...list.images.keys(),
      undefined,
    ]);
    expect(written.map(({ digest }) => String(digest))).toEqual([
      ...list.images.map(({ manifest }) => manifest.digest),
      list.manifest.digest,
    ]);
  });

  test("ends with a failure or with success, whatever fails", async () => {
    for (let at = 1; ; at++) {
      const events: CopyEvent[] = [];
      const into = new FaultyTransport(new MemoryTransport(), at);
      const tell = (event: CopyEvent) => events.push(event);
      const failed = await copyBetween(holding(image), into, { tell }).then(
        () => false,
        () => true,
      );
      expect(events.at(-1)?.kind).toBe(failed ? "copy-failed" : "copy-ended");
      if (!into.failed) break;
    }
  });
});

test("telling passes on what a transport says, and tells what it tries again", () => {
  const said: string[] = [];
  const events: CopyEvent[] = [];
  const retry = { what: "upload", reason: "it broke", waitMs: 500 } as const;
  const log = {
    debug: (message: string) => said.push(`debug ${message}`),
    info: (message: string) => said.push(`info ${message}`),
    warn: (message: string) => said.push(`warn ${message}`),
    retrying: () => said.push("retrying"),
  };
  const end = {
    reference: new MemoryTransport().parseReference("a"),
    context: transportContext({ log }),
  };
  const { context } = telling(end, "destination", (event) => events.push(event));
  context.log.debug("a");
  context.log.info("b");
  context.log.warn("c");
  context.log.retrying?.(retry);
  expect(said).toEqual(["debug a", "info b", "warn c", "retrying"]);
  expect(events).toEqual([{ kind: "retry", ...retry, side: "destination" }]);
});

test("toldOf says nothing of what a failure does not carry", () => {
  expect(toldOf(new Failure("io", "no"))).toEqual({ code: "io", message: "no" });
  expect(toldOf(new Failure("io", "no", { hint: "try", side: "source", cause: 1 }))).toEqual({
    code: "io",
    message: "no",
    hint: "try",
    side: "source",
  });
});
