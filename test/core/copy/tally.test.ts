import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { about, type ToldEvent } from "../../../core/copy/events.ts";
import { Tally } from "../../../core/copy/tally.ts";

const digest = digestOf(new Uint8Array([1]));
const begun: ToldEvent = { kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] };
const blob = { kind: "blob-ended", digest, role: "layer" } as const;
const whole: readonly ToldEvent[] = [
  begun,
  { kind: "blob-begun", digest, role: "layer" },
  { kind: "blob-moved", digest, bytes: 7 },
  { kind: "blob-moved", digest, bytes: 5 },
  { ...blob, outcome: "sent", size: 9 },
  { ...blob, outcome: "reused", size: 20 },
  { ...blob, outcome: "mounted", size: 30 },
  { kind: "manifest-written", of: "image", digest, mediaType: "m", size: 100 },
  { kind: "copy-ended", digest, mediaType: "m" },
];

function tallied(events: readonly ToldEvent[]): Tally {
  const tally = new Tally();
  for (const event of events) tally.note(event);
  return tally;
}

describe("Tally", () => {
  test("counts what was sent, reused and mounted, and what was read for that", () => {
    expect(tallied(whole).summary).toEqual({
      copies: 1,
      failures: 0,
      manifests: 1,
      blobs: { sent: 1, reused: 1, mounted: 1 },
      bytes: { read: 12, sent: 9, reused: 20, mounted: 30 },
      retries: 0,
    });
  });

  test("counts the last attempt only, but all retries", () => {
    const failed: ToldEvent = { kind: "copy-failed", code: "unavailable", message: "no" };
    const retry = { kind: "retry", what: "command", reason: "no", waitMs: 1 } as const;
    const restarted = { kind: "blob-restarted", digest, reason: "wrong" } as const;
    const first = [...whole.slice(0, 5), restarted, failed];
    expect(tallied(first).summary).toMatchObject({ copies: 0, failures: 1, retries: 1 });
    const { summary } = tallied([...first, retry, ...whole]);
    expect(summary).toEqual({ ...tallied(whole).summary, retries: 2 });
  });

  test("counts several copies at a time, however their events are mixed", () => {
    const tally = new Tally();
    const [one, other] = [0, 1].map((copy) => about({ copy }, (event) => tally.note(event)));
    for (const event of whole) {
      one?.(event);
      other?.(event);
    }
    expect(tally.summary).toMatchObject({ copies: 2, manifests: 2, blobs: { sent: 2 } });
    one?.(begun);
    expect(tally.summary).toMatchObject({ copies: 1, manifests: 1, blobs: { sent: 1 } });
  });

  test("counts several destinations of one copy, and what they have in common once", () => {
    const tally = new Tally();
    const tell = (event: ToldEvent) => tally.note(event);
    const [one, other] = [0, 1].map((destination) => about({ destination }, tell));
    tell(begun);
    tell({ kind: "blob-moved", digest, bytes: 7 });
    one?.({ ...blob, outcome: "sent", size: 7 });
    one?.({ kind: "copy-ended", digest, mediaType: "m" });
    other?.({ kind: "copy-failed", code: "io", message: "no" });
    // Both were given what was read once.
    for (const each of [one, other, other]) each?.({ kind: "blob-moved", digest, bytes: 3 });
    expect(tally.summary).toMatchObject({
      copies: 1,
      failures: 1,
      blobs: { sent: 1 },
      bytes: { read: 7, sent: 7 },
    });
    other?.(begun);
    expect(tally.summary).toMatchObject({ copies: 1, failures: 0, bytes: { read: 7 } });
    tell(begun);
    expect(tally.summary).toMatchObject({ copies: 0, failures: 0, bytes: { read: 0 } });
  });
});
