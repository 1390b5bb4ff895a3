import { expect, test } from "bun:test";

import { oci } from "../../../../transports/oci/reference.ts";
import { ociArchive } from "../../../../transports/oci/archive/reference.ts";
import { putSample } from "../../../support/carry.ts";
import { rejection } from "../../../support/rejection.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { transportContext } from "../../../support/transport-context.ts";
import { Workspace } from "../../../support/workspace.ts";

test("packLayout puts all images of a layout into one archive, which lists them", async () => {
  using workspace = new Workspace();
  const context = transportContext();
  const images = new Map(
    ["a:1", "b:2"].map((name) => [name, sampleImage({ seed: name, format: "oci" })]),
  );
  for (const [name, image] of images) {
    const reference = oci.parseReference(`${workspace.at("layout")}:${name}`);
    await using writer = await reference.openDestination(context);
    await putSample(writer, image);
    await writer.commit();
  }
  const archive = workspace.at("all.tar");
  await ociArchive.packLayout?.(workspace.at("layout"), archive, context);
  expect(await ociArchive.listImages?.(archive, context)).toEqual([
    `${archive}:a:1`,
    `${archive}:b:2`,
  ]);
  for (const [name, image] of images) {
    await using source = await ociArchive.parseReference(`${archive}:${name}`).openSource(context);
    expect((await source.readManifest()).bytes).toEqual(Buffer.from(image.manifest.bytes));
  }
});

test("listImages says that there is no archive", async () => {
  const failure = await rejection(
    Promise.resolve(ociArchive.listImages?.("/no/such.tar", transportContext())),
  );
  expect(failure.message).toBe('archive file not found: "/no/such.tar"');
});
