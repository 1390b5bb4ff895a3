import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { type ManifestType, manifestTypes } from "../../../core/content/media-types.ts";
import { listFormats, selectInstances } from "../../../core/copy/select.ts";
import type { DestinationTraits } from "../../../core/image/destination.ts";
import type { ListManifest } from "../../../core/manifest/types.ts";

const { dockerList, oci, ociIndex, schema2 } = manifestTypes;

const any: DestinationTraits = {
  manifestTypes: [],
  layers: "preserve",
  keepsForeignUrls: false,
  holdsLists: true,
  concurrent: true,
};
const layout = { ...any, manifestTypes: [oci, ociIndex] };
const registry = { ...any, manifestTypes: [oci, schema2, ociIndex, dockerList] };
const free = { frozenBecause: undefined, format: undefined };

describe("listFormats", () => {
  test.each<[string, ManifestType, DestinationTraits, ManifestType | undefined, ManifestType[]]>([
    ["prefers the list's own type", dockerList, registry, undefined, [dockerList, ociIndex]],
    ["prefers the own type where any will do", ociIndex, any, undefined, [ociIndex, dockerList]],
    ["converts for a layout", dockerList, layout, undefined, [ociIndex]],
    ["follows the format of the images: oci", dockerList, registry, oci, [ociIndex]],
    ["follows the format of the images: v2s2", ociIndex, any, schema2, [dockerList]],
  ])("%s", (_, own, traits, format, expected) => {
    const formats = listFormats({ own, traits, frozenBecause: undefined, format });
    expect(formats).toEqual(expected as [ManifestType]);
  });

  test("keeps a frozen list as it is", () => {
    const input = { own: ociIndex, traits: registry, ...free, frozenBecause: "R" };
    expect(listFormats(input)).toEqual([ociIndex]);
  });

  test("says why a frozen list cannot become what the destination takes", () => {
    const input = { own: dockerList, traits: layout, ...free, frozenBecause: "R" };
    expect(() => listFormats(input)).toThrow(
      `Manifest list must be converted to type "${ociIndex}" to be written to destination, but we cannot modify it: "R"`,
    );
  });

  test("fails where the destination takes no list at all", () => {
    const input = { own: ociIndex, traits: { ...any, manifestTypes: [schema2] }, ...free };
    expect(() => listFormats(input)).toThrow("does not support any supported manifest list types");
  });
});

describe("selectInstances", () => {
  const bytes = new Uint8Array();
  const instances = ["a", "b"].map((name) => ({
    mediaType: oci,
    digest: digestOf(new TextEncoder().encode(name)),
  }));
  const list: ListManifest = {
    kind: "list",
    mediaType: ociIndex,
    raw: { bytes, mediaType: ociIndex },
    instances,
  };

  test("takes all images, in their order", () => {
    expect(selectInstances(list, "all")).toEqual(instances);
  });

  test("takes none with the list alone", () => {
    expect(selectInstances(list, "index-only")).toEqual([]);
  });
});
