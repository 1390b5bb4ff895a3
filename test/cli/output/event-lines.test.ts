// Event lines: every event is told, and all bytes are.

import { describe, expect, test } from "bun:test";

import { eventLines } from "../../../cli/output/event-lines.ts";
import { digestOf } from "../../../core/content/digest.ts";

const digest = digestOf(new Uint8Array([1]));
const other = digestOf(new Uint8Array([2]));

function writing() {
  const lines: string[] = [];
  let ms = 0;
  let closed = 0;
  const progress = eventLines({
    write: (line) => lines.push(line),
    now: () => new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6)),
    elapsed: () => ms,
    close: () => closed++,
  });
  const parsed = () => lines.map((line) => JSON.parse(line));
  return { progress, lines, parsed, at: (now: number) => (ms = now), closed: () => closed };
}

describe("eventLines", () => {
  test("says when, and what", () => {
    const { progress, lines, at } = writing();
    at(1234.56789);
    progress.tell({ kind: "warning", message: "careful", copy: 2 });
    expect(lines).toEqual([
      '{"v":1,"time":"2024-01-02T03:04:05.006Z","ms":1234.568,"event":"warning","message":"careful","copy":2}',
    ]);
  });

  test("puts together what is moved within a quarter of a second, of each blob", () => {
    const { progress, parsed, at } = writing();
    for (let ms = 0; ms < 1000; ms += 10) {
      at(ms);
      progress.tell({ kind: "blob-moved", digest, bytes: 7 });
      progress.tell({ kind: "blob-moved", digest: other, bytes: 3 });
    }
    const told = parsed();
    expect(told).toHaveLength(6);
    progress.tell({ kind: "failed", code: "io", message: "" });
    const all = parsed();
    expect(all.at(-1).event).toBe("failed");
    const bytes = (of: string) =>
      all.filter((line) => line.digest === of).reduce((sum, line) => sum + line.bytes, 0);
    expect([bytes(digest), bytes(other)]).toEqual([700, 300]);
  });

  test("tells no more often because something else happens, and all of a blob before its end", () => {
    const { progress, parsed } = writing();
    const moved = (copy: number, bytes: number) =>
      progress.tell({ kind: "blob-moved", digest, bytes, copy });
    const end = { role: "layer", outcome: "sent", size: 5 } as const;
    moved(0, 5);
    moved(1, 7);
    progress.tell({ kind: "blob-begun", digest: other, role: "layer", copy: 0 });
    progress.tell({ kind: "blob-ended", digest: other, ...end, copy: 0 });
    progress.tell({ kind: "blob-ended", digest, ...end, copy: 0 });
    progress.tell({ kind: "copy-failed", code: "io", message: "", copy: 1 });
    const brief = parsed().map(({ event, copy, bytes }) => [event, copy, bytes]);
    expect(brief).toEqual([
      ["blob-begun", 0, undefined],
      ["blob-ended", 0, undefined],
      ["blob-moved", 0, 5],
      ["blob-ended", 0, undefined],
      ["blob-moved", 1, 7],
      ["copy-failed", 1, undefined],
    ]);
  });

  test("tells the same blob of two copies apart", () => {
    const { progress, parsed } = writing();
    for (const copy of [0, 1]) progress.tell({ kind: "blob-moved", digest, bytes: 5, copy });
    progress[Symbol.dispose]();
    expect(parsed()).toMatchObject([
      { copy: 0, bytes: 5 },
      { copy: 1, bytes: 5 },
    ]);
  });

  test("closes once, when all is told", () => {
    const { progress, lines, closed } = writing();
    progress.tell({ kind: "blob-moved", digest, bytes: 5 });
    progress[Symbol.dispose]();
    expect([lines.length, closed()]).toEqual([1, 1]);
  });

  test("O1: shows nothing from outside that could begin a line or turn the writing around", () => {
    const { progress, lines, parsed } = writing();
    const message = "a\nb\u001b[2J\u202ec\u2028d\u0085e\u007f\u2066f";
    progress.tell({ kind: "warning", message });
    expect(lines[0]).toMatch(/^[\x20-\x7e]+$/);
    expect(parsed()[0].message).toBe(message);
  });
});
