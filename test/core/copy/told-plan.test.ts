import { expect, test } from "bun:test";

import { planImage } from "../../../core/copy/plan.ts";
import { toldPlan } from "../../../core/copy/told-plan.ts";
import { keptImage } from "../../support/engine.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { sampleImage } from "../../support/sample-images.ts";

test("toldPlan says what shall become of each blob, and why nothing may change", () => {
  const sample = sampleImage({ seed: "told", format: "oci", layers: ["none"] });
  const memory = new MemoryTransport();
  memory.add("b", sample);
  const manifest = keptImage(memory);
  const traits = {
    manifestTypes: [],
    layers: "compress",
    keepsForeignUrls: false,
    holdsLists: true,
    concurrent: true,
  } as const;
  const planned = (frozenBecause: string | undefined) =>
    toldPlan(manifest, planImage({ manifest, traits, frozenBecause, format: undefined }));
  const size = sample.layers[0]?.bytes.length ?? 0;
  expect(planned(undefined)).toMatchObject({
    mediaType: manifest.mediaType,
    blobs: [
      { role: "layer", size, recoding: "compress", format: "gzip" },
      { role: "config", recoding: "none" },
    ],
  });
  expect(planned("because")).toMatchObject({
    frozenBecause: "because",
    formats: [manifest.mediaType],
    blobs: [{ recoding: "none" }, { recoding: "none" }],
  });
});
