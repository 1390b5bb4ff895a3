// Reading layouts, made by others and not always well.

import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { collect } from "../../../core/blob/collect.ts";
import { parseDigest } from "../../../core/content/digest.ts";
import type { ImageSource } from "../../../core/image/source.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { descriptorOf } from "../../support/carry.ts";
import { hexOf, sampleImage, sampleList, writeLayout } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ format: "oci", ballastBytes: 100 });
const list = sampleList({ ballastBytes: 100 });

describe("the source of oci", () => {
  test("reads an image by its name and by its position", async () => {
    using workspace = filled();
    for (const wanted of ["image", "@0"]) {
      await using source = await open(workspace, wanted);
      const { bytes, mediaType } = await source.readManifest();
      expect(Buffer.compare(bytes, image.manifest.bytes)).toBe(0);
      expect(mediaType).toBe(image.manifest.mediaType);
    }
  });

  test("reads the images of a list", async () => {
    using workspace = filled();
    await using source = await open(workspace, "list");
    for (const { manifest } of list.images) {
      const { bytes, mediaType } = await source.readManifest(parseDigest(manifest.digest));
      expect(Buffer.compare(bytes, manifest.bytes)).toBe(0);
      expect(mediaType).toBe(manifest.mediaType);
    }
  });

  test("reports the type that the index has, and guesses where it has none", async () => {
    using workspace = filled();
    const index = JSON.parse(readFileSync(workspace.at("layout", "index.json"), "utf8"));
    index.manifests[0].mediaType = "";
    index.manifests[1].mediaType = "application/odd";
    writeFileSync(workspace.at("layout", "index.json"), JSON.stringify(index));
    await using guessed = await open(workspace, "@0");
    expect((await guessed.readManifest()).mediaType).toBe(image.manifest.mediaType);
    await using reported = await open(workspace, "@1");
    expect((await reported.readManifest()).mediaType).toBe("application/odd");
  });

  test("reads blobs from the directory that layouts share", async () => {
    using workspace = filled();
    renameSync(workspace.at("layout", "blobs"), workspace.at("shared"));
    const settings = { oci: { sharedBlobDirectory: workspace.at("shared") } };
    const context = transportContext({ settings });
    const reference = oci.parseReference(`${workspace.at("layout")}:image`);
    await using source = await reference.openSource(context);
    const bytes = await collect(await source.openBlob(descriptorOf(image.config)), Infinity);
    expect(Buffer.compare(bytes, image.config.bytes)).toBe(0);
  });

  test.each([
    ["another name", "nothing", "not-found", 'no descriptor found for reference "nothing"'],
    ["a position beyond", "@9", "refused", "index 9 is too large, only 2 entries available"],
    ["no name at all", "", "refused", "more than one image in oci, choose an image"],
  ])("fails on %s", async (_, wanted, code, message) => {
    using workspace = filled();
    expect(await rejection(open(workspace, wanted))).toMatchObject({ code, message });
  });

  test("a missing index is no missing image", async () => {
    using workspace = filled();
    rmSync(workspace.at("layout", "index.json"));
    expect(await rejection(open(workspace, "image"))).toMatchObject({
      code: "io",
      message: `open ${workspace.at("layout")}/index.json: no such file or directory`,
    });
  });

  test("C7: a foreign layer is read if it is there, and never fetched", async () => {
    using workspace = filled();
    let asked = 0;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        asked++;
        return new Response("x");
      },
    });
    try {
      const [layer = image.config] = image.layers;
      const foreign = { ...descriptorOf(layer), urls: [`${server.url}layer`] };
      await using source = await open(workspace, "image");
      const bytes = await collect(await source.openBlob(foreign), Infinity);
      expect(Buffer.compare(bytes, layer.bytes)).toBe(0);
      rmSync(workspace.at("layout", "blobs", "sha256", hexOf(layer.digest)));
      expect(await rejection(source.openBlob(foreign))).toMatchObject({
        code: "unsupported",
        hint: expect.stringContaining("foreign layer"),
      });
      expect(asked).toBe(0);
    } finally {
      await server.stop(true);
    }
  });

  test("a directory in place of a blob is a failure", async () => {
    using workspace = filled();
    const path = workspace.at("layout", "blobs", "sha256", hexOf(image.config.digest));
    rmSync(path);
    mkdirSync(path);
    await using source = await open(workspace, "image");
    const reading = source
      .openBlob(descriptorOf(image.config))
      .then((bytes) => collect(bytes, Infinity));
    expect(await rejection(reading)).toMatchObject({ code: "io" });
  });
});

function filled(): Workspace {
  const workspace = new Workspace();
  writeLayout(workspace.at("layout"), { image, list });
  return workspace;
}

function open(workspace: Workspace, wanted: string): Promise<ImageSource> {
  const reference = oci.parseReference(`${workspace.at("layout")}:${wanted}`);
  return reference.openSource(transportContext());
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
