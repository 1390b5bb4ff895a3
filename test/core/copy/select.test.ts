import { describe, expect, test } from "bun:test";

import type { Descriptor } from "../../../core/content/descriptor.ts";
import { type ManifestType, manifestTypes } from "../../../core/content/media-types.ts";
import { platformName } from "../../../core/content/platform.ts";
import { listFormats, selectInstances } from "../../../core/copy/select.ts";
import type { DestinationTraits } from "../../../core/image/destination.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";
import {
  entrySample,
  listFrom,
  ociIndexSample,
  someDigest,
} from "../../support/sample-manifests.ts";

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
  const list = listFrom(
    ociIndex,
    ociIndexSample([
      entrySample("linux/amd64"),
      entrySample("linux/arm/v7"),
      entrySample(undefined),
      entrySample("linux/arm/v6"),
      entrySample("unknown/unknown"),
      entrySample("linux/amd64", { digest: someDigest("another") }),
    ]),
  );
  const positions = (instances: readonly { readonly position: number }[]) =>
    instances.map(({ position }) => position);
  const select = (text: string, others: "keep" | "strip" = "keep") => {
    const platforms = text.split(",").map((entry) => {
      const [os = "", architecture = "", variant] = entry.split("/");
      return { os, architecture, ...(variant !== undefined && { variant }) };
    });
    return selectInstances(list, { platforms, others });
  };

  test("takes all images, in their order", () => {
    const { travelling, stripped } = selectInstances(list, "all");
    expect(travelling.map(({ position: _, ...each }) => each)).toEqual([...list.instances]);
    expect(stripped).toEqual([]);
  });

  test("takes none with the list alone", () => {
    expect(selectInstances(list, "index-only")).toEqual({ travelling: [], stripped: [] });
  });

  test.each([
    ["linux/amd64", [0, 5]],
    ["linux/arm", [1, 3]],
    ["linux/arm/v6,linux/amd64", [0, 3, 5]],
    ["linux/arm/v7,linux/arm/v7,linux/arm", [1, 3]],
    ["unknown/unknown", [4]],
    ["/", [2]],
  ])("takes for %s what is for it, in the order of the list", (text, expected) => {
    expect(positions(select(text).travelling)).toEqual(expected);
    expect(select(text).stripped).toEqual([]);
    const { travelling, stripped } = select(text, "strip");
    expect(positions(travelling)).toEqual(expected);
    expect(positions(stripped)).toEqual([0, 1, 2, 3, 4, 5].filter((at) => !expected.includes(at)));
  });

  test("says what there is where nothing is for a platform", () => {
    expect(failureOf(() => select("linux/amd64,linux/arm/v5"))).toMatchObject({
      message: "no instances found for platform linux/arm/v5",
      hint: "it has linux/amd64, linux/arm/v7, linux/arm/v6, unknown/unknown",
    });
  });

  test("refuses to leave nothing", () => {
    expect(() => selectInstances(list, { platforms: [], others: "strip" })).toThrow(
      "requested operation filtered out all platforms and would create an empty image",
    );
  });

  test("makes of every list two parts that are the whole", () => {
    for (let seed = 0; seed < 200; seed++) {
      const dice = randomBytes(`select/${seed}`, 64);
      const names = ["linux/amd64", "linux/arm/v7", "linux/arm/v6", "windows/amd64", undefined];
      const entries = [...dice.subarray(1, 2 + ((dice[0] ?? 0) % 12))].map((die, index) =>
        entrySample(names[die % names.length], { digest: someDigest(`${seed}/${index}`) }),
      );
      const random = listFrom(ociIndex, ociIndexSample(entries));
      const has = names.filter((name) =>
        entries.some(({ digest }) =>
          random.instances.some((each) => each.digest === digest && nameOf(each) === (name ?? "/")),
        ),
      );
      const wanted = has.filter((_, index) => ((dice[20 + index] ?? 0) & 1) === 1);
      if (wanted.length === 0) continue;
      const platforms = wanted.map((name = "/") => {
        const [os = "", architecture = "", variant] = name.split("/");
        return { os, architecture, ...(variant !== undefined && { variant }) };
      });
      const { travelling, stripped } = selectInstances(random, { platforms, others: "strip" });
      const both = [...travelling, ...stripped].sort((a, b) => a.position - b.position);
      expect(both.map(({ position: _, ...each }) => each)).toEqual([...random.instances]);
      for (const each of travelling)
        expect(wanted.map((name) => name ?? "/")).toContain(nameOf(each));
      for (const each of stripped)
        expect(wanted.map((name) => name ?? "/")).not.toContain(nameOf(each));
    }
  });
});

function nameOf({ platform }: Descriptor): string {
  return platformName(platform ?? { os: "", architecture: "" });
}
