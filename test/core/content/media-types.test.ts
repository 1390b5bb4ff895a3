import { describe, expect, test } from "bun:test";

import {
  type Compression,
  compressionOfType,
  configTypes,
  hasVariants,
  isConfigType,
  isLayerType,
  isListType,
  isManifestType,
  isSchema1,
  layerFamilies,
  manifestTypes,
  recompressedType,
} from "../../../core/content/media-types.ts";

const docker = "application/vnd.docker.image.rootfs.diff.tar";
const oci = "application/vnd.oci.image.layer.v1.tar";
const foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";

describe("recompressedType", () => {
  test.each<[string, Compression, string | undefined]>([
    [docker, "gzip", `${docker}.gzip`],
    [`${docker}.gzip`, "none", docker],
    [`${docker}.gzip`, "zstd", `${docker}.zstd`],
    [`${docker}.zstd`, "gzip", `${docker}.gzip`],
    [`${oci}+gzip`, "zstd", `${oci}+zstd`],
    [`${oci}+zstd`, "none", oci],
    [foreign, "gzip", `${foreign}+gzip`],
    [`${oci}+gzip+encrypted`, "none", undefined],
    ["application/json", "gzip", undefined],
    ["", "none", undefined],
  ])("makes of %j with %s %j", (mediaType, compression, becomes) => {
    expect(recompressedType(mediaType, compression)).toBe(becomes);
  });
});

test("isLayerType knows layers of all forms, and takes nothing else for one", () => {
  const known = Object.values(layerFamilies).flatMap((family) => Object.values(family));
  for (const type of [...known, "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"]) {
    expect([type, isLayerType(type)]).toEqual([type, true]);
  }
  for (const type of Object.values(configTypes)) {
    expect([type, isLayerType(type), isConfigType(type)]).toEqual([type, false, true]);
  }
  for (const type of ["", "text/plain"]) {
    expect([type, isLayerType(type), isConfigType(type)]).toEqual([type, false, false]);
  }
});

describe("hasVariants", () => {
  const { docker, dockerNondistributable, oci, ociNondistributable } = layerFamilies;

  test.each([
    [manifestTypes.oci, [oci, ociNondistributable], [docker, dockerNondistributable]],
    [manifestTypes.schema2, [docker, dockerNondistributable], [oci, ociNondistributable]],
  ])("knows the types of %s, and not those of the other", (manifest, own, others) => {
    const known = (family: typeof own) =>
      family.flatMap((each) => Object.values(each)).map((each) => hasVariants(each, manifest));
    expect(new Set(known(own))).toEqual(new Set([true]));
    expect(new Set(known(others))).toEqual(new Set([false]));
    expect(hasVariants("application/vnd.oci.image.config.v1+json", manifest)).toBe(false);
  });
});

describe("compressionOfType", () => {
  test("tells what recompressedType was asked for", () => {
    for (const compression of ["none", "gzip", "zstd"] as const) {
      for (const { none } of Object.values(layerFamilies)) {
        expect(compressionOfType(recompressedType(none, compression) ?? "")).toBe(compression);
      }
    }
    expect(compressionOfType(`${oci}+gzip+encrypted`)).toBeUndefined();
  });
});

describe("isManifestType and isListType", () => {
  test("tell lists from images, and both from everything else", () => {
    const lists = Object.values(manifestTypes).filter(isListType);
    expect(lists).toEqual([manifestTypes.dockerList, manifestTypes.ociIndex]);
    expect(Object.values(manifestTypes).every(isManifestType)).toBe(true);
    expect(isManifestType("application/json") || isListType("application/json")).toBe(false);
  });
});

describe("isSchema1", () => {
  test("knows both types of it, and no other", () => {
    const known = Object.values(manifestTypes).filter(isSchema1);
    expect(known).toEqual([manifestTypes.schema1, manifestTypes.schema1Signed]);
  });
});
