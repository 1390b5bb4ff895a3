// Timed progress: how far it is, how fast, and how long it will take.

import { describe, expect, test } from "bun:test";

import { timedProgress } from "../../../cli/output/timed-progress.ts";
import { digestOf } from "../../../core/content/digest.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";

const MiB = 1024 * 1024;
const [one, other] = [1, 2].map((byte) => digestOf(new Uint8Array([byte])));
if (one === undefined || other === undefined) throw new Error("no digests");

const planned: ToldEvent = {
  kind: "image-planned",
  digest: one,
  mediaType: "m",
  formats: ["m"],
  blobs: [
    { digest: one, role: "layer", size: 30 * MiB, recoding: "none" },
    { digest: other, role: "layer", size: 10 * MiB, recoding: "none" },
  ],
  foreign: [],
};

function timed() {
  const lines: string[] = [];
  const periods: number[] = [];
  let ms = 0;
  let work = () => {};
  const progress = timedProgress({
    write: (line) => lines.push(line),
    now: () => ms,
    every: (period, does) => {
      periods.push(period);
      work = does;
      return () => (work = () => {});
    },
  });
  const pass = (more: number) => {
    ms += more;
    work();
  };
  return { progress, lines, pass, periods };
}

describe("timedProgress", () => {
  test("says how far all blobs are together, every ten seconds", () => {
    const { progress, lines, pass, periods } = timed();
    using shown = progress;
    shown.tell(planned);
    shown.tell({ kind: "blob-moved", digest: one, bytes: 10 * MiB });
    pass(10_000);
    shown.tell({ kind: "blob-ended", digest: other, role: "layer", outcome: "reused", size: 1 });
    pass(10_000);
    shown.tell({ kind: "blob-moved", digest: one, bytes: 20 * MiB });
    shown.tell({ kind: "blob-ended", digest: one, role: "layer", outcome: "sent", size: 1 });
    pass(10_000);
    expect(periods).toEqual([10_000]);
    expect(lines).toEqual([
      "10.0MiB of 40.0MiB (25%), 1.0MiB/s, ETA 30s, 0 of 2 blobs",
      "20.0MiB of 40.0MiB (50%), 0B/s, 1 of 2 blobs",
      "40.0MiB of 40.0MiB (100%), 2.0MiB/s, ETA 0s, 2 of 2 blobs",
    ]);
  });

  test("keeps what is at one destination when another is tried again", () => {
    const { progress, lines, pass } = timed();
    using shown = progress;
    for (const destination of [0, 1]) shown.tell({ ...planned, destination });
    const ended = { kind: "blob-ended", role: "layer", outcome: "sent", size: 1 } as const;
    for (const destination of [0, 1]) shown.tell({ ...ended, digest: one, destination });
    shown.tell({ kind: "copy-begun", source: "a", destinations: ["b"], destination: 1 });
    pass(10_000);
    expect(lines[0]).toStartWith("30.0MiB of 40.0MiB (75%)");
  });

  test("never claims more than all, however often something is read again", () => {
    const { progress, lines, pass } = timed();
    using shown = progress;
    shown.tell(planned);
    for (let times = 0; times < 9; times++) {
      shown.tell({ kind: "blob-moved", digest: one, bytes: 30 * MiB });
    }
    pass(10_000);
    shown.tell({ kind: "blob-restarted", digest: one, reason: "wrong" });
    pass(10_000);
    expect(lines.map((line) => line.split(",")[0])).toEqual([
      "30.0MiB of 40.0MiB (75%)",
      "0B of 40.0MiB (0%)",
    ]);
  });

  test("begins anew with an attempt, and knows nothing before there is a plan", () => {
    const { progress, lines, pass } = timed();
    using shown = progress;
    shown.tell(planned);
    shown.tell({ kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] });
    pass(10_000);
    expect(lines).toEqual(["0B of 0B, 0B/s, 0 of 0 blobs"]);
  });

  test("adds up what goes on at the same time, and sums up in the end", () => {
    const { progress, lines, pass } = timed();
    using shown = progress;
    for (const copy of [0, 1]) shown.tell({ ...planned, copy });
    pass(10_000);
    const none = { sent: 0, reused: 0, mounted: 0 };
    const counts = { copies: 2, failures: 0, manifests: 2, blobs: none, retries: 0 };
    shown.tell({ kind: "summary", seconds: 3, ...counts, bytes: { ...none, read: 0 } });
    expect(lines).toEqual([
      "0B of 80.0MiB (0%), 0B/s, 0 of 4 blobs",
      "0B moved in 0 blobs, 0B reused in 0, 0B mounted in 0, 3.0 s",
    ]);
  });
});
