import { mkdirSync } from "node:fs";
import { describe, expect, test } from "bun:test";
import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { dockerArchive } from "../../../transports/docker-archive/reference.ts";
import { descriptorOf, putSample } from "../../support/carry.ts";
import { madeUpImage } from "../../support/docker-tars.ts";
import { probeSuite } from "../../support/probe-suite.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { treeOf } from "../../support/trees.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampled("probe");

function sampled(seed: string) {
  return madeUpImage(sampleImage({ seed, format: "docker", layers: ["none", "none"] }).layers);
}

function place() {
  const workspace = new Workspace();
  return {
    transport: dockerArchive,
    context: transportContext({ settings: { dockerArchive: { appends: true } } }),
    textOf: (name: string) => `${workspace.at("images.tar")}:probe/${name}:1`,
    tree: () => treeOf(workspace.path),
    workspace,
    [Symbol.asyncDispose]: async () => workspace[Symbol.dispose](),
  };
}

probeSuite("docker-archive", async () => place(), {
  image,
  other: sampled("other"),
  async refused(here) {
    const path = here.textOf("a").replace(/:.*/, "");
    mkdirSync(path);
    return path;
  },
});

describe("the probe of a docker-archive", () => {
  test("refuses an archive that has images, unless some may be added", async () => {
    using workspace = new Workspace();
    const path = workspace.at("images.tar");
    await Bun.write(path, "something");
    const reference = dockerArchive.parseReference(`${path}:a:1`);
    expect(reference.openProbe?.(transportContext())).rejects.toMatchObject({
      code: "unsupported",
      message: "docker-archive doesn't support modifying existing images",
    });
  });

  test("finds the uncompressed layer that would do instead of a compressed one", async () => {
    await using here = place();
    const [layer] = image.layers;
    if (layer === undefined) throw new Error("no layer");
    const reference = here.transport.parseReference(here.textOf("a"));
    {
      await using destination = await reference.openDestination(here.context);
      await putSample(destination, image);
      await destination.commit();
    }
    const packed = { mediaType: "x", digest: digestOf(new Uint8Array([1])), size: 1 };
    const standIns = {
      forms: ["none"] as const,
      content: async () => parseDigest(layer.digest),
    };
    await using probe = await reference.openProbe?.(here.context);
    expect(await probe?.findBlob(packed, "layer", standIns)).toEqual({
      digest: descriptorOf(layer).digest,
      size: layer.bytes.length,
      by: "presence",
      compression: "none",
    });
    expect(await probe?.findBlob(packed, "layer")).toBeUndefined();
  });
});
