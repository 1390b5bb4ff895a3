import { describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Candidate, Gate } from "../../../core/trust/gate.ts";
import { acceptEverything } from "../../../core/trust/requirements/basic.ts";
import { containersStorage } from "../../../transports/containers-storage/reference.ts";
import { descriptorOf, putSample } from "../../support/carry.ts";
import { imageOfLayers, madeLayers, storeContext } from "../../support/made-store.ts";
import { MemoryTransport } from "../../support/memory-transport.ts";
import { testWith } from "../../support/needs.ts";
import { rejection } from "../../support/rejection.ts";
import { sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";
import { parseDigest } from "../../../core/content/digest.ts";

const rootTest = testWith("root");
const sample = imageOfLayers(madeLayers("a", "b"));
const id = sample.config.digest.slice(7);

function open(root: string, text = "x:1", conf = {}) {
  return containersStorage.parseReference(text).openDestination(storeContext(root, conf));
}

function records(workspace: Workspace) {
  return JSON.parse(readFileSync(workspace.at("overlay-images/images.json"), "utf8"));
}

describe("StorageDestination", () => {
  rootTest("keeps an image with its signatures", async () => {
    using workspace = new Workspace();
    const digest = parseDigest(sample.manifest.digest);
    {
      await using destination = await open(workspace.path);
      await putSample(destination, sample);
      await destination.putSignatures([Buffer.from("one"), Buffer.from("four")], { digest });
      await destination.commit();
    }
    expect(records(workspace)).toMatchObject([
      {
        id,
        digest,
        names: ["docker.io/library/x:1"],
        metadata: `{"signature-sizes":[3,4],"signatures-sizes":{"${digest}":[3,4]}}`,
        "big-data-names": [
          sample.config.digest,
          `manifest-${digest}`,
          "manifest",
          "signatures",
          `signature-${digest.slice(7)}`,
        ],
        created: "2024-05-06T07:08:09.123Z",
      },
    ]);
    await using source = await containersStorage
      .parseReference("x:1")
      .openSource(storeContext(workspace.path));
    const signatures = await source.readSignatures({ digest });
    expect(signatures.map((each) => Buffer.from(each).toString())).toEqual(["one", "four"]);
  });

  rootTest("gives an image the ID that its name asks for, and no other name", async () => {
    using workspace = new Workspace();
    const wanted = "f".repeat(64);
    await using destination = await open(workspace.path, `@${wanted}`);
    await putSample(destination, sample);
    await destination.commit();
    expect(records(workspace)).toMatchObject([{ id: wanted }]);
    expect(records(workspace)[0].names).toBeUndefined();
  });

  rootTest("leaves nothing of what was not committed", async () => {
    using workspace = new Workspace();
    for (const _ of ["makes the store", "makes its locks"]) {
      await using destination = await open(workspace.path);
      const config = descriptorOf(sample.config);
      expect(await destination.reuseBlob(config, "config")).toBeUndefined();
    }
    const before = treeOf(workspace.path);
    {
      await using destination = await open(workspace.path);
      await putSample(destination, sample);
    }
    expect(treeOf(workspace.path)).toEqual(before);
    expect(existsSync(workspace.at("overlay-images/images.json"))).toBe(false);
  });

  rootTest("takes no lists, and no image without its config", async () => {
    using workspace = new Workspace();
    await using destination = await open(workspace.path);
    expect(destination.traits.holdsLists).toBe(false);
    const list = sampleList();
    const memory = new MemoryTransport();
    memory.add("x", list);
    const source = await memory.parseReference("x").openSource(transportContext());
    const gate = new Gate(acceptEverything, { requireSigned: false, now: () => new Date() });
    const admitted = await gate.admit(new Candidate(source));
    const failure = await rejection(destination.putManifest(admitted.publish()));
    expect(failure.code).toBe("unsupported");
    expect((await rejection(destination.commit())).code).toBe("bug");
  });

  rootTest("refuses a store whose images are kept apart", async () => {
    using workspace = new Workspace();
    const failure = await rejection(
      open(workspace.at("g"), "x:1", { imageStore: workspace.at("i") }),
    );
    expect(failure.code).toBe("unsupported");
    expect(treeOf(workspace.path)).toEqual({});
  });

  rootTest("keeps whiteouts as files where a program mounts the store", async () => {
    using workspace = new Workspace();
    (await open(workspace.path))[Symbol.asyncDispose]();
    writeFileSync(workspace.at("overlay/.has-mount-program"), "true");
    const layers = madeLayers(".wh.gone");
    const image = imageOfLayers(layers);
    await using destination = await open(workspace.path);
    await putSample(destination, image);
    await destination.commit();
    const path = workspace.at("overlay", layers[0]?.id ?? "", "diff/.wh.gone");
    expect(existsSync(path)).toBe(true);
  });
});
