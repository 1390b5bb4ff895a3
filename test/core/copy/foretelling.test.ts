import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import { foretelling } from "../../../core/copy/foretelling.ts";

const [layer, config, image, hidden] = [1, 2, 3, 4].map((byte) => digestOf(new Uint8Array([byte])));
if (!layer || !config || !image || !hidden) throw new Error("no digests");

const planned: ToldEvent = {
  kind: "image-planned",
  digest: image,
  mediaType: "m",
  formats: ["m"],
  blobs: [
    { digest: layer, role: "layer", size: 10, recoding: "compress", crypt: "encrypt" },
    { digest: config, role: "config", size: 5, recoding: "none" },
  ],
  foreign: [],
};

function heard(events: readonly ToldEvent[], unknown: readonly string[] = []) {
  const told: ToldEvent[] = [];
  const tell = foretelling((event) => told.push(event), new Set(unknown) as never);
  events.forEach(tell);
  return told;
}

describe("foretelling", () => {
  test("says that nothing is written, and nothing of what is only gone through the motions", () => {
    const events: ToldEvent[] = [
      { kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] },
      { kind: "blob-begun", digest: layer, role: "layer" },
      { kind: "blob-moved", digest: layer, bytes: 6 },
      { kind: "manifest-begun", of: "image" },
      { kind: "signatures-begun", of: "image" },
      { kind: "warning", message: "careful" },
    ];
    expect(heard(events)).toEqual([
      { kind: "copy-begun", source: "dir:a", destinations: ["dir:b"], dryRun: true },
      { kind: "warning", message: "careful" },
    ]);
  });

  test("says what would be read, and what would be there", () => {
    const sent = { kind: "blob-ended", outcome: "sent" } as const;
    const [, one, other, made, there] = heard(
      [
        planned,
        { ...sent, digest: layer, role: "layer", size: 0, storedAs: hidden, changes: ["encrypt"] },
        { ...sent, digest: config, role: "config", size: 5 },
        { ...sent, digest: image, role: "config", size: 7, changes: ["convert"] },
        { kind: "blob-ended", digest: config, role: "config", outcome: "reused", size: 5 },
      ],
      [hidden],
    );
    expect(one).toEqual({
      kind: "blob-foreseen",
      digest: layer,
      role: "layer",
      outcome: "sent",
      changes: ["encrypt"],
      read: 10,
    });
    expect(other).toMatchObject({ changes: [], read: 5, size: 5 });
    expect(made).toMatchObject({ changes: ["convert"], read: 0, size: 7 });
    expect(there).toMatchObject({ outcome: "reused", changes: [], read: 0, size: 5 });
  });

  test("names no digest that rests on one that nobody knows", () => {
    const written = { kind: "manifest-written", digest: image, mediaType: "m", size: 9 } as const;
    const blob = { kind: "blob-ended", role: "layer", outcome: "sent", size: 0 } as const;
    const told = heard(
      [
        { ...planned, instance: 0 },
        { ...blob, digest: layer, storedAs: hidden, instance: 0 },
        { ...written, of: "image", instance: 0 },
        { ...planned, instance: 1 },
        { ...blob, digest: layer, instance: 1 },
        { ...written, of: "image", instance: 1 },
        { ...written, of: "list" },
        { kind: "copy-ended", digest: image, mediaType: "m" },
        { ...written, of: "list", copy: 1 },
        { kind: "copy-ended", digest: image, mediaType: "m", copy: 1 },
      ],
      [hidden],
    );
    const ends = told.filter(
      ({ kind }) => kind === "manifest-foreseen" || kind === "copy-foreseen",
    );
    expect(ends.map((event) => "digest" in event)).toEqual([false, true, false, false, true, true]);
  });
});
