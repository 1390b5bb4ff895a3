import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";

import { dir } from "../../../transports/dir/reference.ts";
import { sampleImage, sampleList, writeDirectory } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage();

function glance(path: string) {
  return dir.parseReference(path).glance?.(transportContext(), "destination");
}

test("glance tells the digest of a whole image, and whether it is signed", async () => {
  using workspace = new Workspace();
  writeDirectory(workspace.at("a"), image);
  const digest = image.manifest.digest as never;
  const { mediaType } = image.manifest;
  expect(await glance(workspace.at("a"))).toEqual({ digest, perhapsSigned: false, mediaType });
  writeFileSync(workspace.at("a", "signature-1"), "");
  expect(await glance(workspace.at("a"))).toEqual({ digest, perhapsSigned: true, mediaType });
});

test("glance tells whether images of a list are missing", async () => {
  using workspace = new Workspace();
  const list = sampleList();
  writeDirectory(workspace.at("a"), list);
  expect(await glance(workspace.at("a"))).toMatchObject({ lacksImages: false });
  rmSync(workspace.at("a", `${list.images[1]?.manifest.digest.slice(7)}.manifest.json`));
  expect(await glance(workspace.at("a"))).toMatchObject({ lacksImages: true });
  expect(await glance(workspace.at("a"))).toMatchObject({ perhapsSigned: false });
  writeFileSync(workspace.at("a", `${"0".repeat(64)}.signature-1`), "");
  expect(await glance(workspace.at("a"))).toMatchObject({ perhapsSigned: true });
});

test.each(["version", "manifest.json"])("glance sees no image without its %s", async (file) => {
  using workspace = new Workspace();
  writeDirectory(workspace.at("a"), image);
  rmSync(workspace.at("a", file));
  expect(await glance(workspace.at("a"))).toBeUndefined();
});
