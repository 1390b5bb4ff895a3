// Summaries: what is worth knowing of one image.

import { describe, expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { type SummaryParts, summarize } from "../../../core/inspect/summary.ts";
import { readImageConfig } from "../../../core/manifest/config.ts";
import { manifestDigest } from "../../../core/manifest/manifest.ts";
import {
  imageFrom,
  ociSample,
  rawSample,
  schema1Sample,
  schema2Sample,
  someDigest,
} from "../../support/sample-manifests.ts";
import { fullConfig } from "../../support/sample-summaries.ts";

const top = rawSample(manifestTypes.oci, ociSample());

function parts(changes: Partial<SummaryParts> = {}): SummaryParts {
  return {
    top,
    algorithm: undefined,
    name: undefined,
    tags: [],
    manifest: imageFrom(manifestTypes.oci, ociSample()),
    claims: { config: fullConfig, tag: "" },
    ...changes,
  };
}

describe("summarize", () => {
  test("takes what the config says", () => {
    expect(summarize(parts({ name: "docker.io/library/busybox", tags: ["1"] }))).toMatchObject({
      name: "docker.io/library/busybox",
      tags: ["1"],
      created: "2024-01-02T03:04:05.123456789Z",
      dockerVersion: "20.10",
      labels: { z: "1" },
      architecture: "amd64",
      os: "linux",
      env: ["PATH=/bin:/usr/bin", "X=<&>"],
    });
  });

  test("has no name where the image has none", () => {
    expect(summarize(parts())).not.toHaveProperty("name");
  });

  test("shows the layers of the manifest, base first", () => {
    const { layers } = summarize(
      parts({ manifest: imageFrom(manifestTypes.schema1, schema1Sample()) }),
    );
    expect(layers).toEqual([
      { mediaType: "", digest: someDigest("older") },
      { mediaType: "", digest: someDigest("newer") },
    ]);
  });

  test.each([
    ["the algorithm that is asked for", "sha512", "sha512"],
    ["that of the config", undefined, "sha256"],
  ] as const)("computes the digest of the top level by %s", (_, algorithm, expected) => {
    expect(summarize(parts({ algorithm })).digest).toBe(manifestDigest(top.bytes, expected));
  });

  test("uses the algorithm of the config's digest, if it is another one", () => {
    const digest = `sha512:${"a".repeat(128)}`;
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
    const manifest = imageFrom(manifestTypes.oci, ociSample({ config }));
    expect(summarize(parts({ manifest })).digest).toBe(manifestDigest(top.bytes, "sha512"));
  });

  test.each([
    ["nothing at all", manifestTypes.oci, ociSample(), undefined],
    ["year 1", manifestTypes.schema2, schema2Sample(), "0001-01-01T00:00:00Z"],
    ["year 1", manifestTypes.schema1, schema1Sample(), "0001-01-01T00:00:00Z"],
  ])("says %s of the time that a config does not have (%s)", (_, type, sample, created) => {
    const claims = { config: readImageConfig("{}"), tag: "" };
    expect(summarize(parts({ manifest: imageFrom(type, sample), claims })).created).toBe(created);
  });
});
