// Reading from a layout whose files are anywhere: here, nowhere.

import { describe, expect, test } from "bun:test";
import { collect } from "../../../core/blob/collect.ts";
import { streamOf } from "../../../core/blob/stream.ts";
import { type Digest, digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { parseIndex } from "../../../transports/oci/index-json.ts";
import { type LayoutFiles, LayoutSource } from "../../../transports/oci/layout-source.ts";
import { parseOciName } from "../../../transports/oci/name.ts";
import { failureOf } from "../../support/failure-of.ts";
import { rejection } from "../../support/rejection.ts";

const manifest = new TextEncoder().encode(
  JSON.stringify({ schemaVersion: 2, mediaType: manifestTypes.oci, layers: [] }),
);
const digest = digestOf(manifest);
const blob = digestOf(new Uint8Array([1]));

function filesOf(mediaType: string): LayoutFiles & { disposed: boolean } {
  const entry = { mediaType, digest, size: manifest.length };
  return {
    disposed: false,
    index: parseIndex(new TextEncoder().encode(JSON.stringify({ manifests: [entry] }))),
    readManifest: async () => manifest,
    smallBlobs: () => [],
    hasBlob: (wanted: Digest) => wanted === blob,
    openBlob: () => streamOf(new Uint8Array([1])),
    placeOf: () => "place",
    async [Symbol.asyncDispose]() {
      this.disposed = true;
    },
  };
}

const name = parseOciName("/tmp");

describe("LayoutSource", () => {
  test.each([
    [manifestTypes.oci, manifestTypes.oci],
    ["application/odd", "application/odd"],
    ["", manifestTypes.oci],
  ])("reports the type %p of the index as %p", async (listed, reported) => {
    const source = new LayoutSource(name, filesOf(listed), { by: "itself" });
    expect(await source.readManifest()).toEqual({ bytes: manifest, mediaType: reported });
  });

  test("opens blobs, and says of which it has only addresses", async () => {
    const source = new LayoutSource(name, filesOf(""), { by: "itself" });
    const wanted = { mediaType: "", digest: blob, urls: ["https://example.com/blob"] };
    expect(await collect(await source.openBlob(wanted), 10)).toEqual(new Uint8Array([1]));
    expect(await rejection(source.openBlob({ ...wanted, digest }))).toMatchObject({
      code: "unsupported",
      message: "open place: no such file or directory",
      hint: expect.stringContaining("https://example.com/blob"),
    });
  });

  test("closes the files it was given", async () => {
    const files = filesOf("");
    {
      await using _ = new LayoutSource(name, files, { by: "itself" });
      expect(files.disposed).toBe(false);
    }
    expect(files.disposed).toBe(true);
  });

  test("fails where there is no such image", () => {
    const wanted = { by: "name", name: "no" } as const;
    expect(failureOf(() => new LayoutSource(name, filesOf(""), wanted))).toMatchObject({
      code: "not-found",
    });
  });
});
