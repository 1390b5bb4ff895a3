import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { eventLines } from "../../../cli/output/event-lines.ts";
import { eventDescriptions, eventSchema } from "../../../core/copy/event-schema.ts";
import type { ToldEvent } from "../../../core/copy/events.ts";
import type { AnyMembers } from "../../../core/json-schema.ts";
import { Tally } from "../../../core/copy/tally.ts";
import { copyBetween, holding, rejecting } from "../../support/engine.ts";
import { FaultyTransport } from "../../support/faulty.ts";
import { schemaFaults } from "../../support/json-schema-check.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import type { Transport } from "../../../core/image/transport.ts";
import { randomBytes } from "../../support/random.ts";
import { blobsOf, sampleImage, sampleList } from "../../support/sample-images.ts";

const image = sampleImage({ seed: "schema", format: "oci", layers: ["none", "gzip"] });
const list = sampleList({ seed: "schema", format: "docker" });
const schema = eventSchema();

/** Returns the lines that a copy leaves behind, and those of its summary. */
async function linesOf(
  copying: (tell: (event: ToldEvent) => void) => Promise<unknown>,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const lines: string[] = [];
  let elapsed = 0;
  const { tell, [Symbol.dispose]: dispose } = eventLines({
    write: (line) => lines.push(line),
    now: () => new Date(1e12),
    elapsed: () => (elapsed += 100.5),
  });
  const tally = new Tally();
  const hear = (event: ToldEvent) => {
    tally.note(event);
    tell(event);
  };
  await copying(hear).catch(() => undefined);
  hear({ kind: "summary", seconds: 1, ...tally.summary });
  dispose();
  return lines.map((line) => JSON.parse(line));
}

describe("the lines of a run", () => {
  test.each([..."abcdefgh"])("give its summary when they are read again: seed %s", async (seed) => {
    const random = randomBytes(`replay ${seed}`, 8);
    const layers = [...random.subarray(0, 1 + (random[7]! % 4))].map((byte) =>
      byte % 2 === 0 ? ("gzip" as const) : ("none" as const),
    );
    const sample =
      random[6]! % 2 === 0
        ? sampleImage({ seed, layers, ballastBytes: 50_000 })
        : sampleList({ seed, ballastBytes: 10_000 });
    const into = new MemoryTransport({ traits: { layers: "compress" } });
    const [there] = blobsOf(sample);
    if (random[5]! % 2 === 0 && there) into.blobs.set(parseDigest(there.digest), there.bytes);
    const failing = new FaultyTransport(into, random[4]! % 2 === 0 ? 7 : Infinity);
    const lines = await linesOf(async (tell) => {
      const copy = (to: Transport) =>
        copyBetween(holding(sample, { chunkBytes: 997 }), to, { images: "all", tell });
      await copy(failing).catch(() => undefined);
      tell({ kind: "retry", what: "command", reason: "again", waitMs: 1 });
      await copy(into);
    });
    const tally = new Tally();
    for (const { event, v: _, time: __, ms: ___, ...rest } of lines) {
      tally.note({ kind: event, ...rest } as never);
    }
    const { event: _, v: __, time: ___, ms: ____, seconds: _____, ...summary } = lines.at(-1) ?? {};
    expect(tally.summary).toEqual(summary as never);
    expect(tally.summary.retries).toBe(1);
    expect(tally.summary.copies).toBe(1);
  });
});

describe("eventSchema", () => {
  const signers = [
    {
      activity: "Signing",
      form: "simple-signing" as const,
      sign: async () => Uint8Array.of(0x90, 1),
    },
  ];
  const identity = { host: "a.example", repository: "b", tag: "c" };
  const compressing = { traits: { layers: "compress" } } as const;
  test.each([
    [
      "a copy that changes layers, with a new signature",
      (tell: (event: ToldEvent) => void) =>
        copyBetween(holding(image, { chunkBytes: 1000 }), new MemoryTransport(compressing), {
          tell,
          signing: { signers, identity },
        }),
    ],
    [
      "a copy of a list",
      (tell: (event: ToldEvent) => void) =>
        copyBetween(holding(list), new MemoryTransport(), { images: "all", tell }),
    ],
    [
      "a copy that finds everything there",
      (tell: (event: ToldEvent) => void) => copyBetween(holding(image), holding(image), { tell }),
    ],
    [
      "a copy that the policy refuses",
      (tell: (event: ToldEvent) => void) =>
        copyBetween(holding(image), new MemoryTransport(), {
          tell,
          policy: rejecting(image.manifest.digest),
        }),
    ],
    [
      "a copy that fails",
      (tell: (event: ToldEvent) => void) =>
        copyBetween(holding(image), new FaultyTransport(new MemoryTransport(), 5), { tell }),
    ],
  ])("fits every line of %s", async (_, copying) => {
    const lines = await linesOf(copying);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.flatMap((line) => schemaFaults(line, schema))).toEqual([]);
  });

  test.each([
    [{}, "has no event"],
    [{ event: "copy-stolen" }, "is not"],
    [{ event: "warning", message: 1 }, "$.message: is no string"],
    [{ event: "warning", message: "a", more: 1 }, "nobody described more"],
  ])("does not fit %j", (line, fault) => {
    const envelope = { v: 1, time: "2024-01-01T00:00:00Z", ms: 1 };
    expect(schemaFaults({ ...envelope, ...line }, schema).join()).toContain(fault);
  });

  test("stands in the README, word for word", () => {
    const readme = readFileSync(join(import.meta.dir, "../../../README.md"), "utf8");
    const rows = Object.entries<{ says: string; members: AnyMembers }>(eventDescriptions).map(
      ([kind, { says, members }]) => {
        const names = Object.entries(members).map(
          ([name, member]) => `\`${name}\`${"optional" in member ? "?" : ""}`,
        );
        return `| \`${kind}\` | ${says} | ${names.join(", ")} |`;
      },
    );
    const missing = rows.filter((row) => !readme.includes(`${row}\n`));
    expect(missing).toEqual([]);
    // Nothing else stands there that looks like an event, either.
    const [, section = ""] = readme.split("| event | says | with |\n");
    expect(section.split("\n\n")[0]?.split("\n").slice(1).sort()).toEqual(rows.toSorted());
  });
});
