import { expect, test } from "bun:test";
import { rmSync } from "node:fs";

import { parseDigest } from "../../../core/content/digest.ts";
import { oci } from "../../../transports/oci/reference.ts";
import { putSample } from "../../support/carry.ts";
import { sampleImage } from "../../support/sample-images.ts";
import { transportContext } from "../../support/transport-context.ts";
import { Workspace } from "../../support/workspace.ts";

const image = sampleImage({ format: "oci" });

function glance(text: string) {
  return oci.parseReference(text).glance?.(transportContext(), "destination");
}

test("glance finds an image of a layout by its name", async () => {
  using workspace = new Workspace();
  const path = workspace.at("layout");
  expect(await glance(`${path}:a/b:1`)).toBeUndefined();
  {
    await using writer = await oci
      .parseReference(`${path}:a/b:1`)
      .openDestination(transportContext());
    await putSample(writer, image);
    await writer.commit();
  }
  const digest = parseDigest(image.manifest.digest);
  expect(await glance(`${path}:a/b:1`)).toEqual({ digest, perhapsSigned: false });
  expect(await glance(`${path}:other`)).toBeUndefined();
  rmSync(workspace.at("layout", "blobs", "sha256", digest.slice(7)));
  expect(await glance(`${path}:a/b:1`)).toBeUndefined();
});
