import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

import { parseDigest } from "../../../core/content/digest.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { putSample } from "../../support/carry.ts";
import { type Sample, sampleImage, sampleList } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ format: "oci" });

function glance(text: string) {
  return oci.parseReference(text).glance?.(transportContext(), "destination");
}

async function write(name: string, sample: Sample, making?: string): Promise<void> {
  await using writer = await oci.parseReference(name).openDestination(transportContext());
  await putSample(writer, sample);
  if (making !== undefined) writer.noteMaking?.(making);
  await writer.commit();
}

test("glance finds an image of a layout by its name", async () => {
  using workspace = new Workspace();
  const path = workspace.at("layout");
  expect(await glance(`${path}:a/b:1`)).toBeUndefined();
  await write(`${path}:a/b:1`, image);
  const digest = parseDigest(image.manifest.digest);
  const { mediaType } = image.manifest;
  expect(await glance(`${path}:a/b:1`)).toEqual({ digest, perhapsSigned: false, mediaType });
  expect(await glance(`${path}:other`)).toBeUndefined();
  rmSync(workspace.at("layout", "blobs", "sha256", digest.slice(7)));
  expect(await glance(`${path}:a/b:1`)).toBeUndefined();
});

test("glance tells what an image was made of, until its name leads to another one", async () => {
  using workspace = new Workspace();
  const name = `${workspace.at("layout")}:a`;
  await write(name, image, "something by some recipe");
  expect((await glance(name))?.making).toBe("something by some recipe");
  await write(name, sampleImage({ seed: "other", format: "oci" }));
  expect(await glance(name)).not.toHaveProperty("making");
  await write(name, image);
  expect(await glance(name)).not.toHaveProperty("making");
});

test("glance does not believe a note that is about another image", async () => {
  using workspace = new Workspace();
  const name = `${workspace.at("layout")}:a`;
  await write(name, image, "something");
  await write(`${workspace.at("layout")}:b`, sampleImage({ seed: "other", format: "oci" }));
  const index = workspace.at("layout", "index.json");
  const [one, other] = JSON.parse(readFileSync(index, "utf8")).manifests;
  const mixed = { ...one, digest: other.digest, size: other.size };
  writeFileSync(index, JSON.stringify({ schemaVersion: 2, manifests: [mixed] }));
  expect(await glance(name)).toMatchObject({ digest: other.digest });
  expect(await glance(name)).not.toHaveProperty("making");
});

test("glance tells whether images of a list are missing", async () => {
  using workspace = new Workspace();
  const list = sampleList({ format: "oci" });
  const name = `${workspace.at("layout")}:a`;
  await write(name, list);
  expect(await glance(name)).toMatchObject({ lacksImages: false });
  const digest = list.images[1]?.manifest.digest ?? "";
  rmSync(workspace.at("layout", "blobs", "sha256", digest.slice(7)));
  expect(await glance(name)).toMatchObject({ lacksImages: true });
});
