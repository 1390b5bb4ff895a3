import { describe, expect, test } from "bun:test";

import { encodeJson, parseStrictJson } from "../../../core/json.ts";
import { Members } from "../../../core/manifest/members.ts";
import { readOciManifest, writeOciManifest } from "../../../core/manifest/oci.ts";
import { failureOf } from "../../support/failure-of.ts";
import { ociLayer, ociSample, type Sample } from "../../support/sample-manifests.ts";

function rewritten(sample: Sample): string {
  const manifest = readOciManifest(new Members(parseStrictJson(JSON.stringify(sample))));
  return new TextDecoder().decode(writeOciManifest(manifest));
}

describe("an OCI manifest read and written", () => {
  test("says the same in the original's order", () => {
    const { config, layers } = ociSample();
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const subject = ociLayer();
    const annotations = { a: "b" };
    const artifactType = "x/y";
    const odd = { annotations, subject, layers, config, artifactType, mediaType, unknown: 1 };
    expect(rewritten({ schemaVersion: 2, ...odd })).toBe(
      encodeJson({
        schemaVersion: 2,
        mediaType,
        artifactType,
        config,
        layers,
        subject,
        annotations,
      }),
    );
  });

  test("keeps a missing media type missing", () => {
    const { mediaType, ...sample } = ociSample();
    expect(rewritten(sample)).toBe(encodeJson(sample));
  });

  test("has an empty array of layers where there are none", () => {
    expect(rewritten(ociSample({ layers: null }))).toBe(encodeJson(ociSample({ layers: [] })));
  });

  test("needs a config", () => {
    expect(failureOf(() => rewritten(ociSample({ config: null })))).toMatchObject({
      code: "corrupt",
      message: "Invalid manifest: config is missing",
    });
  });
});
