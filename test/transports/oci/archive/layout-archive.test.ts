// Layouts in archives.

import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { digestOf, parseDigest } from "../../../../core/content/digest.ts";
import { blobFile, LayoutArchive } from "../../../../transports/oci/archive/layout-archive.ts";
import { layoutEntries } from "../../../support/layout-tar.ts";
import { rejection } from "../../../support/rejection.ts";
import { sampleImage } from "../../../support/sample-images.ts";
import { type TarEntry, tarOf } from "../../../support/tar-bytes.ts";
import { transportContext } from "../../../support/transport-context.ts";
import { Workspace } from "../../../support/workspace.ts";

const image = sampleImage({ format: "oci", ballastBytes: 100 });

async function open(workspace: Workspace, entries: readonly TarEntry[]): Promise<LayoutArchive> {
  writeFileSync(workspace.at("archive"), tarOf(entries));
  return LayoutArchive.open(workspace.at("archive"), transportContext());
}

describe("LayoutArchive", () => {
  test("has the index, the manifests and the blobs", async () => {
    using workspace = new Workspace();
    await using layout = await open(workspace, layoutEntries({ a: image }));
    expect(layout.index.entries.map(({ name }) => name)).toEqual(["a"]);
    const digest = parseDigest(image.manifest.digest);
    expect(await layout.readManifest(digest)).toEqual(Buffer.from(image.manifest.bytes));
    expect(layout.find(parseDigest(image.config.digest))?.size).toBe(image.config.bytes.length);
    const missing = digestOf(new Uint8Array());
    expect(layout.find(missing)).toBeUndefined();
    expect(await layout.readManifest(missing)).toBeUndefined();
  });

  const item = (path: string, body = "x"): TarEntry => ({ path, body: Buffer.from(body) });
  test.each([
    ["anything", [item("a")], "it is no archive of an OCI layout"],
    [
      "docker save",
      [item("manifest.json", "[]")],
      /^an archive of docker save is read as docker-archive:/,
    ],
  ])("refuses an archive of %s", async (_, entries, hint) => {
    using workspace = new Workspace();
    const failure = await rejection(open(workspace, entries));
    expect(failure).toMatchObject({ code: "corrupt", message: "There is no index.json in it" });
    expect(failure.hint).toMatch(hint);
  });

  test("says what is wrong with an index", async () => {
    using workspace = new Workspace();
    const failure = await rejection(open(workspace, [item("index.json", "{")]));
    expect(failure.message).toStartWith("parsing index.json: ");
  });
});

test("blobFile names a blob as layouts do, by any algorithm", () => {
  const bytes = new Uint8Array([1]);
  expect(blobFile(digestOf(bytes))).toMatch(/^blobs\/sha256\/[0-9a-f]{64}$/);
  expect(blobFile(digestOf(bytes, "sha512"))).toMatch(/^blobs\/sha512\/[0-9a-f]{128}$/);
});
