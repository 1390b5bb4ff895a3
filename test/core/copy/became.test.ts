import { describe, expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { whatChanged } from "../../../core/copy/became.ts";
import {
  ociLayer,
  ociSample,
  rawSample,
  schema2Sample,
  someDigest,
} from "../../support/sample-manifests.ts";

const { oci, schema2 } = manifestTypes;
const layer = "application/vnd.oci.image.layer.v1.tar";
const image = rawSample(oci, ociSample());
const withLayer = (changes: Record<string, unknown>) =>
  rawSample(oci, ociSample({ layers: [ociLayer(changes)] }));

describe("whatChanged", () => {
  test.each([
    [
      "a conversion",
      rawSample(schema2, schema2Sample()),
      `it was converted from ${oci} to ${schema2}`,
    ],
    [
      "other layers",
      withLayer({ digest: someDigest("new") }),
      `layer ${someDigest("layer")} is stored as ${someDigest("new")}`,
    ],
    [
      "layers that are compressed otherwise",
      withLayer({ digest: someDigest("new"), mediaType: `${layer}+zstd` }),
      `layer ${someDigest("layer")} is stored as ${someDigest("new")}, ${layer}+zstd instead of ${layer}+gzip`,
    ],
    ["anything else", withLayer({ annotations: { a: "b" } }), "its manifest was written anew"],
  ])("tells of %s", (_, after, expected) => {
    expect(whatChanged(image, after)).toBe(expected);
  });
});
