import { describe, expect, test } from "bun:test";

import { type ManifestType, manifestTypes } from "../../../core/content/media-types.ts";
import { encodeJson } from "../../../core/json.ts";
import { rewriteList } from "../../../core/manifest/list.ts";
import { parseManifest } from "../../../core/manifest/manifest.ts";
import type { ListManifest } from "../../../core/manifest/types.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";
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

  test("keeps what it says of images along any chain of conversions", () => {
    for (let seed = 0; seed < 100; seed++) {
      const dice = [...randomBytes(`list/${seed}`, 64)];
      const roll = (sides: number) => (dice.pop() ?? 0) % sides;
      const names = ["linux/amd64", "linux/arm/v7", "windows/amd64", "unknown/unknown"];
      const entries = Array.from({ length: 1 + roll(6) }, (_, index) =>
        entrySample(names[roll(names.length)], {
          digest: someDigest(`${seed}/${index}`),
          size: 1 + roll(200),
          ...(roll(3) === 0 && { urls: [`http://example.com/${index}`] }),
        }),
      );
      const start = roll(2) === 0 ? ociIndexSample(entries) : dockerListSample(entries);
      const own = start["mediaType"] as ManifestType;
      const first = listFrom(own, start);
      let current = first;
      for (let step = 0; step < 4; step++) {
        const to = roll(2) === 0 ? ociIndex : dockerList;
        const raw = rewriteList(current, { to, instances: [] });
        expect([seed, raw === current.raw]).toEqual([seed, to === current.mediaType]);
        const parsed = parseManifest(raw);
        if (parsed.kind !== "list") throw new Error("no list any more");
        current = parsed;
      }
      expect([seed, current.instances]).toEqual([seed, first.instances]);
    }
  });

  test("changes and strips what it is told to, and nothing beside", () => {
    for (let seed = 0; seed < 100; seed++) {
      const dice = [...randomBytes(`edit/${seed}`, 64)];
      const roll = (sides: number) => (dice.pop() ?? 0) % sides;
      const entries = Array.from({ length: 1 + roll(6) }, (_, index) =>
        entrySample(roll(4) === 0 ? undefined : "linux/amd64", {
          digest: someDigest(`${seed}/${index}`),
          annotations: { index: String(index) },
        }),
      );
      const before = listFrom(ociIndex, ociIndexSample(entries));
      const changes = entries.map((_, index) => {
        const die = roll(3);
        if (die === 0) return undefined;
        if (die === 1) return "strip" as const;
        return { digest: someDigest(`new ${index}`), size: 9, mediaType: oci };
      });
      const parsed = parseManifest(rewriteList(before, { to: ociIndex, instances: changes }));
      const expected = before.instances.flatMap((entry, index) => {
        const change = changes[index];
        if (change === "strip") return [];
        return [change === undefined ? entry : { ...entry, ...change }];
      });
      expect([seed, parsed.kind === "list" && parsed.instances]).toEqual([seed, expected]);
    }
  });
});
