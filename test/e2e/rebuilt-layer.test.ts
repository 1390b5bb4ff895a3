import { describe, expect } from "bun:test";
import { Digester } from "../../core/content/digest.ts";
import { streamOf } from "../../core/blob/stream.ts";
import { rebuiltLayer } from "../../transports/shared/rebuilt-layer.ts";
import { LayerStore } from "../support/layer-store.ts";
import { testWith } from "../support/needs.ts";
import { newerProgram } from "../support/newer-debian.ts";
import { sampleImage } from "../support/sample-images.ts";
import { Workspace } from "../support/workspace.ts";

describe("rebuiltLayer", () => {
  for (const driver of ["overlay", "vfs"] as const) {
    for (const age of ["skopeo", "newer:skopeo"] as const) {
      testWith("root", age)(`gives the layers back that ${age} stored, by ${driver}`, async () => {
        using workspace = new Workspace();
        const store = new LayerStore(workspace, driver);
        const sample = sampleImage({
          format: "oci",
          layers: ["gzip", "none"],
          // By vfs, the original loses what a whiteout of the same layer is for.
          odd: driver === "overlay",
        });
        const program = age === "skopeo" ? age : newerProgram("skopeo");
        const { code, stderr } = await store.add("x", sample, program);
        expect([code, stderr]).toEqual([0, expect.any(String)]);
        const digests = [];
        for (const { id } of store.layers()) {
          const digester = new Digester();
          const layer = { tarSplit: streamOf(store.tarSplit(id)), directories: [store.files(id)] };
          for await (const chunk of rebuiltLayer(layer)) digester.update(chunk);
          digests.push(digester.digest());
        }
        expect<readonly string[]>(digests.toSorted()).toEqual(sample.diffIds.toSorted());
      });
    }
  }
});
