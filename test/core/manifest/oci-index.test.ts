import { describe, expect, test } from "bun:test";

import { encodeJson, parseStrictJson } from "../../../core/json.ts";
import { Members } from "../../../core/manifest/members.ts";
import { readOciIndex, writeOciIndex } from "../../../core/manifest/oci-index.ts";
import {
  entrySample,
  ociIndexSample,
  ociLayer,
  type Sample,
} from "../../support/sample-manifests.ts";

function rewritten(sample: Sample): string {
  const index = readOciIndex(new Members(parseStrictJson(JSON.stringify(sample))));
  return new TextDecoder().decode(writeOciIndex(index));
}

describe("an OCI index read and written", () => {
  test("says the same in the original's order", () => {
    const { schemaVersion, mediaType, manifests } = ociIndexSample([entrySample(undefined)]);
    const about = { artifactType: "x/y", subject: ociLayer(), annotations: { a: "b" } };
    expect(rewritten({ ...about, manifests, mediaType, schemaVersion, unknown: 1 })).toBe(
      encodeJson({
        schemaVersion,
        mediaType,
        artifactType: "x/y",
        manifests,
        subject: ociLayer(),
        annotations: { a: "b" },
      }),
    );
  });

  test("gets the media type that it lacked", () => {
    const { mediaType, ...sample } = ociIndexSample([]);
    expect(rewritten(sample)).toBe(encodeJson(ociIndexSample([])));
  });
});
