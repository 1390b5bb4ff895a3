import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import { ForecastKeeper } from "../../../core/copy/forecast.ts";

const [layer, image] = [1, 2].map((byte) => digestOf(new Uint8Array([byte])));
if (!layer || !image) throw new Error("no digests");

const begun: ToldEvent = {
  kind: "copy-begun",
  source: "dir:a",
  destinations: ["dir:b", "dir:c"],
  dryRun: true,
};
const planned: ToldEvent = {
  kind: "image-planned",
  digest: image,
  mediaType: "m",
  formats: ["m"],
  frozenBecause: "because",
  blobs: [],
  foreign: [{ digest: layer, size: 4 }],
};
const blob = {
  kind: "blob-foreseen",
  digest: layer,
  role: "layer",
  outcome: "sent",
  changes: [],
  read: 10,
} as const;

function forecastOf(events: readonly ToldEvent[]) {
  const keeper = new ForecastKeeper();
  for (const event of events) keeper.note(event);
  return keeper.forecast;
}

describe("ForecastKeeper", () => {
  test("gathers what would become of each destination", () => {
    const { copies, totals } = forecastOf([
      begun,
      { ...planned, destination: 0 },
      { ...blob, size: 10, destination: 0 },
      { kind: "manifest-foreseen", of: "image", mediaType: "m", digest: image, destination: 0 },
      { kind: "copy-foreseen", digest: image, mediaType: "m", destination: 0 },
      { ...planned, destination: 1 },
      { ...blob, changes: ["compress"], destination: 1 },
      { kind: "manifest-foreseen", of: "image", mediaType: "n", destination: 1 },
      { kind: "copy-failed", code: "io", message: "no", destination: 1 },
    ]);
    expect(copies).toMatchObject([
      {
        source: "dir:a",
        ok: false,
        destinations: [
          {
            destination: "dir:b",
            ok: true,
            digest: image,
            images: [{ digest: image, writtenAs: image, frozenBecause: "because" }],
            totals: { unknown: 0, foreign: 1, bytes: { read: 10, sent: 10 } },
          },
          {
            destination: "dir:c",
            ok: false,
            images: [{ mediaType: "n" }],
            totals: { unknown: 1, bytes: { read: 10, sent: 0 } },
            failure: { code: "io", message: "no" },
          },
        ],
      },
    ]);
    expect(totals).toEqual({
      blobs: { sent: 2, reused: 0, mounted: 0 },
      bytes: { read: 10, sent: 10, reused: 0, mounted: 0 },
      unknown: 1,
      foreign: 2,
    });
  });

  test("begins anew with an attempt, of all destinations or of one", () => {
    const { copies } = forecastOf([
      begun,
      { ...planned, destination: 0 },
      { ...planned, destination: 1 },
      { ...begun, destinations: ["dir:c"], destination: 1 },
    ]);
    expect(copies[0]?.destinations.map(({ images }) => images.length)).toEqual([1, 0]);
    expect(forecastOf([begun, planned, begun]).copies[0]?.destinations[0]?.images).toEqual([]);
  });

  test("says why all would fail", () => {
    const failure = { code: "rejected", message: "no", hint: "try" } as const;
    const { copies, failure: last } = forecastOf([
      begun,
      { kind: "copy-failed", ...failure },
      { kind: "failed", ...failure },
    ]);
    expect(copies[0]?.failure).toEqual(failure);
    expect(last).toEqual(failure);
  });
});
