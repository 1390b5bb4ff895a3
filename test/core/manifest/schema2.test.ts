import { describe, expect, test } from "bun:test";

import { encodeJson, parseStrictJson } from "../../../core/json.ts";
import { Members } from "../../../core/manifest/members.ts";
import { readSchema2, writeSchema2 } from "../../../core/manifest/schema2.ts";
import { failureOf } from "../../support/failure-of.ts";
import { type Sample, schema2Layer, schema2Sample } from "../../support/sample-manifests.ts";

function rewritten(sample: Sample): string {
  const manifest = readSchema2(new Members(parseStrictJson(JSON.stringify(sample))));
  return new TextDecoder().decode(writeSchema2(manifest));
}

const layer = "application/vnd.docker.image.rootfs.diff.tar";
const foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar";

describe("a schema 2 manifest read and written", () => {
  test("says the same in the original's order, without what is unknown", () => {
    const { layers, config } = schema2Sample();
    const odd = { annotations: {}, layers, config, ...schema2Sample() };
    expect(rewritten(odd)).toBe(encodeJson(schema2Sample()));
  });

  test.each([layer, `${layer}.gzip`, `${layer}.zstd`, foreign, `${foreign}.gzip`])(
    "may have layers of type %s",
    (mediaType) => {
      const sample = schema2Sample({ layers: [schema2Layer({ mediaType })] });
      expect(rewritten(sample)).toBe(encodeJson(sample));
    },
  );

  test.each([
    ["", schema2Sample({ mediaType: null })],
    ["x/y", schema2Sample({ mediaType: "x/y" })],
    [`${layer}.xz`, schema2Sample({ layers: [schema2Layer({ mediaType: `${layer}.xz` })] })],
    [
      "application/vnd.docker.distribution.manifest.v2+json",
      schema2Sample({
        layers: [
          schema2Layer({ mediaType: "application/vnd.docker.distribution.manifest.v2+json" }),
        ],
      }),
    ],
  ])("has no place for the type %j", (mediaType, sample) => {
    expect(failureOf(() => rewritten(sample))).toMatchObject({
      code: "corrupt",
      message: `unsupported docker v2s2 media type: "${mediaType}"`,
    });
  });

  test("may name its config's type as it likes", () => {
    const config = schema2Layer({ mediaType: "text/x" });
    expect(rewritten(schema2Sample({ config }))).toBe(encodeJson(schema2Sample({ config })));
  });
});
