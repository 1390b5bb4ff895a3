import { expect, test } from "bun:test";

import { parseDigest } from "../../../core/content/digest.ts";
import { SeenCopy } from "../../../core/sync/seen-copy.ts";
import { holding } from "../../support/engine.ts";
import { sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";

const list = sampleList();

test("SeenCopy sees what the name led to, and what was moved", async () => {
  const seen = new SeenCopy();
  const reference = seen.watched(holding(list).parseReference("a"));
  await using _ = await reference.openSource(transportContext());
  const digest = parseDigest(list.images[0]?.layers[0]?.digest ?? "");
  seen.note({ kind: "blob-begun", digest, role: "layer", size: 7 });
  seen.note({ kind: "blob-begun", digest, role: "config", size: 9 });
  seen.note({ kind: "blob-moved", digest, bytes: 5 });
  expect(seen.result).toEqual({
    outcome: "copied",
    source: { digest: parseDigest(list.manifest.digest), layers: [{ digest, size: 7 }] },
    bytes: 5,
  });
});

test("SeenCopy sees which image of the list was taken", async () => {
  const chosen = parseDigest(list.images[0]?.manifest.digest ?? "");
  const planned = {
    kind: "image-planned",
    mediaType: "",
    formats: [],
    blobs: [],
    foreign: [],
  } as const;
  for (const [digest, expected] of [
    [chosen, chosen],
    [parseDigest(list.manifest.digest), undefined],
  ] as const) {
    const seen = new SeenCopy();
    await using _ = await seen
      .watched(holding(list).parseReference("a"))
      .openSource(transportContext());
    seen.note({ ...planned, digest });
    expect(seen.result.source?.chosen).toBe(expected as never);
  }
});

test("SeenCopy takes an image for present, and not one of its parts", () => {
  const seen = new SeenCopy();
  seen.note({ kind: "image-present", instance: 0 });
  expect(seen.result.outcome).toBe("copied");
  seen.note({ kind: "image-present" });
  expect(seen.result).toEqual({ outcome: "present", bytes: 0 });
});
