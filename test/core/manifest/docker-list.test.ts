import { describe, expect, test } from "bun:test";

import { encodeJson, parseStrictJson } from "../../../core/json.ts";
import { readDockerList, writeDockerList } from "../../../core/manifest/docker-list.ts";
import { Members } from "../../../core/manifest/members.ts";
import { dockerListSample, type Sample, someDigest } from "../../support/sample-manifests.ts";

function rewritten(sample: Sample): string {
  const list = readDockerList(new Members(parseStrictJson(JSON.stringify(sample))));
  return new TextDecoder().decode(writeDockerList(list));
}

const entry = { mediaType: "m", size: 5, digest: someDigest("x") };
const nowhere = { architecture: "", os: "" };

describe("a Docker list read and written", () => {
  test("says the same in the original's order, without what is unknown", () => {
    const platform = { architecture: "arm", os: "linux", variant: "v7", features: ["f"] };
    const full = { ...entry, urls: ["http://a"], platform };
    expect(rewritten(dockerListSample([{ annotations: { a: "b" }, ...full }], { x: 1 }))).toBe(
      encodeJson(dockerListSample([full])),
    );
  });

  test.each([undefined, null, {}])("has an empty platform where it had %p", (platform) => {
    expect(rewritten(dockerListSample([{ ...entry, platform }]))).toBe(
      encodeJson(dockerListSample([{ ...entry, platform: nowhere }])),
    );
  });

  test("gets the media type that it lacked", () => {
    expect(rewritten(dockerListSample([], { mediaType: null }))).toBe(
      encodeJson(dockerListSample([])),
    );
  });
});
