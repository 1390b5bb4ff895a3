import { describe, expect, test } from "bun:test";

import { encodeJson, parseStrictJson } from "../../../core/json.ts";
import {
  dockerDescriptor,
  dockerListEntry,
  filledMap,
  ociDescriptor,
  readDockerDescriptor,
  readDockerPlatform,
  readOciDescriptor,
} from "../../../core/manifest/descriptor-json.ts";
import { Members } from "../../../core/manifest/members.ts";
import { someDigest } from "../../support/sample-manifests.ts";

const digest = someDigest("x");

const everything = `{"artifactType":"t","data":"eA==","platform":{"features":["f"],"variant":"v7","os.features":["o"],"os.version":"1","os":"linux","architecture":"arm"},"annotations":{"10":"","9":"<"},"urls":["http://a"],"size":5,"digest":"${digest}","mediaType":"m","unknown":1}`;

function membersOf(text: string): Members {
  return new Members(parseStrictJson(text));
}

describe("an OCI descriptor", () => {
  test("is written in OCI's order, without what is unknown", () => {
    expect(encodeJson(ociDescriptor(readOciDescriptor(membersOf(everything))))).toBe(
      String.raw`{"mediaType":"m","digest":"${digest}","size":5,"urls":["http://a"],"annotations":{"10":"","9":"\u003c"},"data":"eA==","platform":{"architecture":"arm","os":"linux","os.version":"1","os.features":["o"],"variant":"v7"},"artifactType":"t"}`,
    );
  });

  test("leaves out what is empty, but for the names of the platform", () => {
    const text = `{"digest":"${digest}","size":0,"urls":[],"annotations":{},"data":"","artifactType":"","platform":{"variant":"","os.version":"","os.features":[]}}`;
    expect(encodeJson(ociDescriptor(readOciDescriptor(membersOf(text))))).toBe(
      `{"mediaType":"","digest":"${digest}","size":0,"platform":{"architecture":"","os":""}}`,
    );
  });
});

describe("a Docker descriptor", () => {
  test("is written in Docker's order, and says no more than Docker's can", () => {
    expect(encodeJson(dockerDescriptor(readDockerDescriptor(membersOf(everything))))).toBe(
      `{"mediaType":"m","size":5,"digest":"${digest}","urls":["http://a"]}`,
    );
  });

  test("leaves out a media type that is empty", () => {
    expect(encodeJson(dockerDescriptor({ mediaType: "", digest, size: 5 }))).toBe(
      `{"size":5,"digest":"${digest}"}`,
    );
  });

  test("has a platform with features in a list", () => {
    const members = membersOf(everything);
    const platform = readDockerPlatform(members.needed("platform"));
    expect(encodeJson(dockerListEntry(readDockerDescriptor(members), platform))).toBe(
      `{"mediaType":"m","size":5,"digest":"${digest}","urls":["http://a"],"platform":{"architecture":"arm","os":"linux","os.version":"1","os.features":["o"],"variant":"v7","features":["f"]}}`,
    );
  });
});

describe("filledMap", () => {
  test.each([
    [undefined, undefined],
    [{}, undefined],
    [{ b: "1", a: "2" }, '{"a":"2","b":"1"}'],
  ])("makes of %p %p", (record, text) => {
    const map = filledMap(record);
    expect(map && encodeJson(map)).toBe(text);
  });
});
