// Forecasts as text: what would be done to each blob, and what that comes to.

import { expect, test } from "bun:test";

import { renderForecast } from "../../../cli/output/forecast-printer.ts";
import { type Digest, parseDigest } from "../../../core/content/digest.ts";
import type { DestinationForecast, RunForecast } from "../../../core/copy/forecast.ts";

const [one, two, three] = ["1", "2", "3"].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`));
if (!one || !two || !three) throw new Error("no digests");

const layer = { role: "layer", changes: [] } as const;
const totals = {
  blobs: { sent: 2, reused: 1, mounted: 0 },
  bytes: { read: 3000, sent: 1000, reused: 500, mounted: 0 },
  unknown: 1,
  foreign: 1,
};

function there(destination: string, digest?: Digest): DestinationForecast {
  return {
    destination,
    ok: true,
    ...(digest !== undefined && { digest }),
    mediaType: "application/example",
    totals,
    images: [
      {
        digest: one as Digest,
        frozenBecause: "Instructed to preserve digests",
        blobs: [
          { ...layer, digest: one as Digest, outcome: "sent", read: 1000, size: 1000 },
          { ...layer, digest: two as Digest, outcome: "sent", read: 2000, changes: ["compress"] },
          { ...layer, digest: three as Digest, outcome: "reused", read: 0, size: 500 },
        ],
        foreign: [{ digest: three as Digest }],
      },
    ],
  };
}

const admitted = {
  verdict: "admitted",
  image: "dir:a",
  by: "rules",
  rules: ["signedBy"],
  scope: { transport: "dir", name: "/a" },
  answers: [],
  digest: one,
} as const;

function rendered(forecast: Partial<RunForecast>): readonly string[] {
  const short = (digit: string) => [new RegExp(`${digit}{64}`, "g"), `${digit}…`] as const;
  const text = ["1", "2", "3"]
    .map(short)
    .reduce(
      (all, [pattern, by]) => all.replace(pattern, by),
      renderForecast({ copies: [], totals, ...forecast }),
    );
  return text.split("\n");
}

test("a forecast says what would be done to each blob, and what is not known before", () => {
  const copy = { source: "dir:a", ok: true, policy: [admitted], destinations: [there("dir:b")] };
  expect(rendered({ copies: [copy] })).toEqual([
    "Copying dir:a",
    "  policy admits sha256:1… by signedBy (dir /a)",
    "to dir:b",
    "  its manifest stays as it is: Instructed to preserve digests",
    "  send           1000B  layer  sha256:1…",
    "  compress           ?  layer  sha256:2… (2.0KiB as it is)",
    "  reuse           500B  layer  sha256:3…",
    "  leave              ?  layer  sha256:3…",
    "  then leads to a digest that only sending can tell (application/example)",
    "  total: read 2.9KiB (3000 bytes), send 1000B (1000 bytes) in 2 blobs, 1 of them of a size that only sending can tell, reuse 500B in 1, mount 0B in 0, leave 1 where they are",
    "Nothing was written.",
    "",
  ]);
});

test("a forecast adds up several destinations", () => {
  const destinations = [there("dir:b", two), there("dir:c", two)];
  const lines = rendered({ copies: [{ source: "dir:a", ok: true, policy: [], destinations }] });
  expect(lines).toContain("  then leads to sha256:2… (application/example)");
  expect(lines.at(-3)).toStartWith("all together: read 2.9KiB (3000 bytes)");
});

test("O1: a forecast says why the policy refuses, in one line whatever that says", () => {
  const { digest: _, ...undecided } = admitted;
  const rejected = {
    ...undecided,
    verdict: "rejected",
    refusedBy: "signedBy",
    reason: "no\u001b[2J\u202e",
  } as const;
  const { images: _images, ...nowhere } = there("dir:b");
  const destinations = [{ ...nowhere, ok: false, images: [] }];
  const copy = { source: "dir:a", ok: false, policy: [rejected], destinations };
  expect(rendered({ copies: [copy] })).toEqual([
    "Copying dir:a",
    "  policy rejects the image by signedBy (dir /a): no\\x1b[2J\\u202e",
    "to dir:b",
    "  this would fail",
    "Nothing was written.",
    "",
  ]);
});
