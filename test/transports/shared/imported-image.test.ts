// Imported images: manifest and config byte for byte as the original writes them.

import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import { type ImportedImage, ImportedSource } from "../../../transports/shared/imported-image.ts";
import { rejection } from "../../support/rejection.ts";

const name = { transport: "tarball", text: "a.tar", policyIdentity: "", policyNamespaces: [] };
const bytes = new TextEncoder().encode("a layer");
const hex = "c9193c3f8b508129ea7e24c3e74af3e0b9c708d54dc11a604812d69ce173689f";
const digest = parseDigest(`sha256:${hex}`);
const image: ImportedImage = {
  created: "2024-01-02T03:04:05.123456789Z",
  os: "linux",
  architecture: "amd64",
  layers: [
    {
      descriptor: { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: 10240 },
      diffId: digest,
      created: "2024-01-02T03:04:05.123456789Z",
      comment: "imported from tarball",
      open: () => streamOf(bytes),
    },
  ],
};
const nothing = { [Symbol.asyncDispose]: async () => {} };

describe("ImportedSource", () => {
  test("has the manifest and the config of the original", async () => {
    await using source = new ImportedSource(name, image, nothing);
    // As skopeo 1.22 wrote them.
    const config = `{"created":"2024-01-02T03:04:05.123456789Z","architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:${hex}"]},"history":[{"created":"2024-01-02T03:04:05.123456789Z","created_by":"/bin/sh -c #(nop) ADD file:${hex} in /","comment":"imported from tarball"}]}`;
    const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:cae520af74d4c7f067c05331d9217644067e7ab64b5e4add41b014eebab64170","size":409},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:${hex}","size":10240}]}`;
    expect(await textOf(source)).toEqual({ manifest, config });
  });

  test("says what it runs, and what came after the layers", async () => {
    const command = ["/podman/runscript"];
    const epilogue = ['/bin/sh -c #(nop) CMD ["bash"]'];
    await using source = new ImportedSource(name, { ...image, command, epilogue }, nothing);
    const { config } = await textOf(source);
    expect(config).toContain('"os":"linux","config":{"Cmd":["/podman/runscript"]},"rootfs":');
    expect(config).toEndWith(
      ',{"created":"2024-01-02T03:04:05.123456789Z","created_by":"/bin/sh -c #(nop) CMD [\\"bash\\"]","empty_layer":true}]}',
    );
  });

  test("opens layers as often as they are asked for", async () => {
    await using source = new ImportedSource(name, image, nothing);
    for (const _ of [1, 2]) {
      expect(await collect(await source.openBlob({ digest, mediaType: "" }), 100)).toEqual(bytes);
    }
  });

  test("has no other blobs, no signatures and no instances", async () => {
    await using source = new ImportedSource(name, image, nothing);
    const other = digestOf(bytes);
    expect(await rejection(source.openBlob({ digest: other, mediaType: "" }))).toMatchObject({
      code: "io",
      message: `There is no blob ${other} in the image`,
    });
    expect(await source.readSignatures()).toEqual([]);
    expect(await rejection(source.readManifest(other))).toMatchObject({ code: "bug" });
  });

  test("disposes of what it was given to keep", async () => {
    let kept = true;
    const disposable = {
      async [Symbol.asyncDispose]() {
        kept = false;
      },
    };
    {
      await using _ = new ImportedSource(name, image, disposable);
    }
    expect(kept).toBe(false);
  });
});

async function textOf(source: ImportedSource): Promise<{ manifest: string; config: string }> {
  const manifest = await source.readManifest();
  const parsed = parseManifest(manifest);
  if (parsed.kind !== "image" || parsed.config === undefined) throw new Error("this is no image");
  const config = await collect(await source.openBlob(parsed.config), 10_000);
  const decoder = new TextDecoder();
  return { manifest: decoder.decode(manifest.bytes), config: decoder.decode(config) };
}
