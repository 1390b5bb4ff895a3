import { describe, expect, test } from "bun:test";

import { manifestTypes } from "../../../core/content/media-types.ts";
import { encodeJson } from "../../../core/json.ts";
import { rewriteList } from "../../../core/manifest/list.ts";
import type { ListManifest } from "../../../core/manifest/types.ts";
import { failureOf } from "../../support/failure-of.ts";
import {
  dockerListSample,
  entrySample,
  imageFrom,
  listFrom,
  ociIndexSample,
  ociSample,
  someDigest,
} from "../../support/sample-manifests.ts";

const { dockerList, oci, ociIndex, schema2 } = manifestTypes;

const platform = {
  architecture: "amd64",
  os: "linux",
  "os.version": "1",
  "os.features": ["a"],
  variant: "v9",
};
const urls = ["http://a"];
const dockerEntry = {
  mediaType: schema2,
  size: 5,
  digest: someDigest("old"),
  urls,
  platform: { ...platform, features: ["sse"] },
};
const indexEntry = {
  mediaType: oci,
  digest: someDigest("old"),
  size: 5,
  urls,
  annotations: { a: "b" },
  data: "eA==",
  platform,
  artifactType: "x/y",
};
const about = { subject: dockerEntry, annotations: { q: "r" }, artifactType: "t/u" };
const index = listFrom(ociIndex, ociIndexSample([indexEntry, entrySample(undefined)], about));
const list = listFrom(dockerList, dockerListSample([dockerEntry, dockerEntry], { unknown: 1 }));
const update = { digest: someDigest("new"), size: 7, mediaType: "m/n" };

function written(raw: { readonly bytes: Uint8Array }): string {
  return new TextDecoder().decode(raw.bytes);
}

describe("rewriteList", () => {
  test.each([
    ["an OCI index", index],
    ["a Docker list", list],
  ])("gives back %s itself where nothing changes", (_, same) => {
    const [first] = same.instances;
    const to = same.mediaType;
    const unchanged = { digest: someDigest("old"), size: 5, mediaType: first?.mediaType ?? "" };
    expect(rewriteList(same, { to, instances: [] })).toBe(same.raw);
    expect(rewriteList(same, { to, instances: [undefined, undefined] })).toBe(same.raw);
    expect(rewriteList(same, { to, instances: [unchanged, undefined] })).toBe(same.raw);
  });

  test("updates an entry of an index and keeps what else was said of it", () => {
    const annotations = { "io.github.containers.compression.zstd": "true" };
    const raw = rewriteList(index, {
      to: ociIndex,
      instances: [{ ...update, annotations }, undefined],
    });
    const { data, ...kept } = indexEntry;
    expect(raw.mediaType).toBe(ociIndex);
    expect(JSON.parse(written(raw))).toEqual({
      schemaVersion: 2,
      mediaType: ociIndex,
      manifests: [
        { ...kept, ...update, annotations: { a: "b", ...annotations } },
        entrySample(undefined),
      ],
      subject: { mediaType: schema2, size: 5, digest: someDigest("old"), urls, platform },
      annotations: { q: "r" },
      artifactType: "t/u",
    });
  });

  test.each([
    ["an OCI index", index, ociIndex],
    ["a Docker list", list, dockerList],
    ["an index as a Docker list", index, dockerList],
    ["a Docker list as an index", list, ociIndex],
  ])("leaves entries out of %s", (_, from, to) => {
    const whole = JSON.parse(written(rewriteList(from, { to, instances: [update, undefined] })));
    const part = JSON.parse(written(rewriteList(from, { to, instances: ["strip", undefined] })));
    expect(part).toEqual({ ...whole, manifests: whole.manifests.slice(1) });
  });

  test("updates an entry of a Docker list, where annotations have no place", () => {
    const instances = [undefined, { ...update, annotations: { a: "b" } }];
    expect(written(rewriteList(list, { to: dockerList, instances }))).toBe(
      encodeJson(dockerListSample([dockerEntry, { ...dockerEntry, ...update }])),
    );
  });

  test("makes an index of a Docker list, byte for byte as the original", () => {
    const raw = rewriteList(list, { to: ociIndex, instances: [update, undefined] });
    const { digest } = update;
    const old = someDigest("old");
    expect(raw.mediaType).toBe(ociIndex);
    expect(written(raw)).toBe(
      encodeJson(
        ociIndexSample([
          { mediaType: "m/n", digest, size: 7, urls, platform },
          { mediaType: schema2, digest: old, size: 5, urls, platform },
        ]),
      ),
    );
  });

  test("makes a Docker list of an index, byte for byte as the original", () => {
    const raw = rewriteList(index, { to: dockerList, instances: [update, update] });
    const { digest } = update;
    const entry = { mediaType: "m/n", size: 7, digest };
    expect(raw.mediaType).toBe(dockerList);
    expect(written(raw)).toBe(
      encodeJson(
        dockerListSample([
          { ...entry, urls, platform },
          { ...entry, platform: { architecture: "amd64", os: "linux" } },
        ]),
      ),
    );
  });

  test("gives an entry without a platform the one that it is told", () => {
    const ownPlatform = { os: "darwin", architecture: "arm64" };
    const raw = rewriteList(index, { to: dockerList, instances: [], ownPlatform });
    expect(JSON.parse(written(raw))).toMatchObject({
      manifests: [{ platform: { os: "linux" } }, { platform: ownPlatform }],
    });
  });

  test("keeps an empty platform empty, both ways", () => {
    const nowhere = { architecture: "", os: "" };
    const bare = { mediaType: "m/n", size: 7, digest: someDigest("x") };
    const fromList = listFrom(dockerList, dockerListSample([bare]));
    expect(
      JSON.parse(written(rewriteList(fromList, { to: ociIndex, instances: [] }))),
    ).toMatchObject({
      manifests: [{ platform: nowhere }],
    });
    const fromIndex = listFrom(ociIndex, ociIndexSample([{ ...bare, platform: {} }]));
    expect(
      JSON.parse(written(rewriteList(fromIndex, { to: dockerList, instances: [] }))),
    ).toMatchObject({
      manifests: [{ platform: nowhere }],
    });
  });

  test.each<[string, ListManifest]>([
    ["an index", index],
    ["a Docker list", list],
    ["what is no list", { ...index, mediaType: imageFrom(oci, ociSample()).mediaType }],
  ])("makes no image of %s", (_, source) => {
    expect(failureOf(() => rewriteList(source, { to: oci, instances: [] }))).toMatchObject({
      code: "unsupported",
      message: `Conversion of image manifest from ${source.mediaType} to ${oci} is not implemented`,
    });
  });
});
