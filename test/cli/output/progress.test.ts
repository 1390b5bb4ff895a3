// Progress: the lines that scripts read, and the bars that people watch.

import { describe, expect, test } from "bun:test";

import { liveProgress } from "../../../cli/output/live-progress.ts";
import type { Log } from "../../../cli/output/log.ts";
import { lineProgress } from "../../../cli/output/progress.ts";
import { digestOf } from "../../../core/content/digest.ts";
import type { CopyEvent } from "../../../core/copy/events.ts";

const layer = digestOf(new TextEncoder().encode("layer"));
const config = digestOf(new TextEncoder().encode("config"));
const MiB = 1024 * 1024;

const image: readonly CopyEvent[] = [
  { kind: "signatures-sought", of: "image" },
  { kind: "signatures-found", of: "image" },
  { kind: "blob-begun", digest: layer, role: "layer", size: 10 * MiB },
  { kind: "blob-moved", digest: layer, bytes: 10 * MiB },
  { kind: "blob-ended", digest: layer, role: "layer", outcome: "sent", size: 10 * MiB },
  { kind: "blob-begun", digest: config, role: "config" },
  { kind: "blob-ended", digest: config, role: "config", outcome: "reused", size: 2048 },
  { kind: "manifest-begun", of: "image" },
  { kind: "signatures-begun", of: "image" },
];

const list: readonly CopyEvent[] = [
  { kind: "signatures-sought", of: "list" },
  { kind: "signatures-found", of: "list" },
  { kind: "list-begun", chosen: 2, listed: 3 },
  { kind: "instance-begun", digest: layer, index: 0, of: 2 },
  { kind: "manifest-begun", of: "list" },
  { kind: "signatures-begun", of: "list" },
];

const ended: CopyEvent & { readonly kind: "summary" } = {
  kind: "summary",
  seconds: 1.5,
  copies: 1,
  failures: 0,
  manifests: 1,
  blobs: { sent: 1, reused: 1, mounted: 0 },
  bytes: { read: 10 * MiB, sent: 10 * MiB, reused: 2048, mounted: 0 },
  retries: 0,
};

function logTo(lines: string[]): Log {
  const to = (level: string) => (message: string) => lines.push(`${level}: ${message}`);
  return {
    debug: to("debug"),
    info: to("info"),
    warn: to("warn"),
    error: to("error"),
    fatal: to("fatal"),
  };
}

describe("lineProgress", () => {
  test("prints the original's lines for an image", () => {
    const lines: string[] = [];
    const { tell } = lineProgress((line) => lines.push(line), logTo([]));
    image.forEach(tell);
    expect(lines).toEqual([
      "Getting image source signatures",
      "Checking if image destination supports signatures",
      `Copying blob ${layer}`,
      `Copying config ${config}`,
      "Writing manifest to image destination",
      "Storing signatures",
    ]);
  });

  test("prints the original's lines for a list", () => {
    const lines: string[] = [];
    const { tell } = lineProgress((line) => lines.push(line), logTo([]));
    list.forEach(tell);
    expect(lines).toEqual([
      "Getting image list signatures",
      "Checking if image list destination supports signatures",
      "Copying 2 images generated from 3 images in list",
      `Copying image ${layer} (1/2)`,
      "Writing manifest list to image destination",
      "Storing list signatures",
    ]);
  });

  test("keeps warnings out of what scripts read", () => {
    const [lines, logged]: [string[], string[]] = [[], []];
    const { tell } = lineProgress((line) => lines.push(line), logTo(logged));
    tell({ kind: "warning", message: "careful" });
    tell({ kind: "blob-restarted", digest: layer, reason: "it broke" });
    expect(lines).toEqual([]);
    expect(logged).toEqual(["warn: careful", `info: Reading blob ${layer} once more: it broke`]);
  });
});

describe("liveProgress", () => {
  function live(columns = 120) {
    const lines: string[] = [];
    const drawn: (readonly string[])[] = [];
    let ms = 0;
    let redraw = () => {};
    const progress = liveProgress({
      screen: { line: (line) => lines.push(line), draw: (now) => drawn.push(now) },
      log: logTo(lines),
      size: () => ({ columns, rows: 10 }),
      now: () => ms,
      every: (_, work) => {
        redraw = work;
        return () => (redraw = () => {});
      },
    });
    const pass = (more: number) => {
      ms += more;
      redraw();
    };
    return { progress, lines, drawn, pass };
  }

  test("leaves the original's final words, and a summary", () => {
    const { progress, lines, pass } = live();
    using shown = progress;
    pass(1500);
    [...image, ended].forEach(shown.tell);
    expect(lines).toEqual([
      "Getting image source signatures",
      "Checking if image destination supports signatures",
      `Copying blob ${layer.slice(7, 19)} done`,
      `Copying config ${config.slice(7, 17)} skipped: already exists`,
      "Writing manifest to image destination",
      "Storing signatures",
      "10.0MiB moved in 1 blobs, 2.0KiB reused in 1, 0B mounted in 0, 1.5 s",
    ]);
  });

  test("draws how far each blob is, how fast, and how long it will take", () => {
    const { progress, drawn, pass } = live();
    using shown = progress;
    const { tell } = shown;
    tell({ kind: "blob-begun", digest: layer, role: "layer", size: 10 * MiB });
    tell({ kind: "blob-begun", digest: config, role: "config" });
    tell({ kind: "blob-moved", digest: layer, bytes: 4 * MiB });
    tell({ kind: "blob-moved", digest: config, bytes: 100 });
    pass(2000);
    expect(drawn.at(-1)).toEqual([
      `Copying blob ${layer.slice(7, 19)} [===============>${"-".repeat(24)}] 4.0MiB / 10.0MiB | 2.0MiB/s | ETA 3s`,
      `Copying config ${config.slice(7, 17)} 100B | 50B/s`,
    ]);
    // However much there was to tell.
    expect(drawn).toHaveLength(1);
  });

  test("never draws more than the terminal holds", () => {
    const { progress, drawn, pass } = live(40);
    using shown = progress;
    const { tell } = shown;
    for (let index = 0; index < 30; index++) {
      const digest = digestOf(new Uint8Array([index]));
      tell({ kind: "blob-begun", digest, role: "layer", size: MiB });
    }
    pass(100);
    expect(drawn.at(-1)).toHaveLength(8);
    expect(Math.max(...(drawn.at(-1) ?? []).map((line) => line.length))).toBeLessThan(40);
  });

  test("forgets a failed attempt, and takes its bars away in the end", () => {
    const { progress, lines, drawn, pass } = live();
    {
      using shown = progress;
      const { tell } = shown;
      tell({ kind: "blob-begun", digest: layer, role: "layer", size: MiB });
      tell({ kind: "copy-begun", source: "dir:a", destinations: ["dir:b"] });
      pass(100);
      expect(drawn.at(-1)).toEqual([]);
      tell({ kind: "blob-begun", digest: layer, role: "layer", size: MiB });
      tell({ kind: "blob-moved", digest: layer, bytes: MiB });
    }
    expect(lines).toEqual([]);
    expect(drawn.at(-1)).toEqual([]);
  });

  test("does not sum up what came to nothing", () => {
    const { progress, lines } = live();
    using shown = progress;
    shown.tell({ ...ended, copies: 0, failures: 1 });
    expect(lines).toEqual([]);
  });

  test("tells the same blob of several copies apart, and forgets those of one", () => {
    const { progress, drawn, pass } = live();
    using shown = progress;
    const blob = { digest: layer, role: "layer", size: 10 * MiB } as const;
    for (const copy of [0, 1]) shown.tell({ kind: "blob-begun", ...blob, copy });
    shown.tell({ kind: "blob-moved", digest: layer, bytes: 4 * MiB, copy: 1 });
    pass(2000);
    expect(drawn.at(-1)?.map((line) => / ([\d.]+)[KMi]*B \/ /.exec(line)?.[1])).toEqual([
      "0",
      "4.0",
    ]);
    shown.tell({ kind: "copy-failed", code: "io", message: "no", copy: 0 });
    pass(100);
    expect(drawn.at(-1)).toHaveLength(1);
  });
});
