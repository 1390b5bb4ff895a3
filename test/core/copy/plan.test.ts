import { describe, expect, test } from "bun:test";

import type { Descriptor } from "../../../core/content/descriptor.ts";
import { digestOf } from "../../../core/content/digest.ts";
import {
  layerFamilies,
  type ManifestType,
  manifestTypes,
} from "../../../core/content/media-types.ts";
import type { CompressionWish } from "../../../core/copy/compression-wish.ts";
import { type BlobStep, planImage, type Recoding } from "../../../core/copy/plan.ts";
import type { DestinationTraits } from "../../../core/image/destination.ts";
import type { ImageManifest } from "../../../core/manifest/types.ts";
import { imageFrom, schema1Sample } from "../../support/sample-manifests.ts";

const { oci, schema1, schema1Signed, schema2 } = manifestTypes;

const registry: DestinationTraits = {
  manifestTypes: [oci, schema2, manifestTypes.ociIndex, manifestTypes.dockerList],
  layers: "compress",
  keepsForeignUrls: true,
  holdsLists: true,
  concurrent: true,
};
const layout: DestinationTraits = { ...registry, manifestTypes: [oci, manifestTypes.ociIndex] };
const directory: DestinationTraits = {
  ...registry,
  manifestTypes: [],
  layers: "preserve",
  keepsForeignUrls: false,
};

function blob(name: string, mediaType: string, more: Partial<Descriptor> = {}): Descriptor {
  const bytes = new TextEncoder().encode(name);
  return { mediaType, digest: digestOf(bytes), size: bytes.length, ...more };
}

const base = blob("base", layerFamilies.oci.gzip);
const top = blob("top", layerFamilies.oci.none);
const config = blob("config", "application/vnd.oci.image.config.v1+json");

function image(
  mediaType: ManifestType,
  layers: readonly Descriptor[] = [base, top],
): ImageManifest {
  return { kind: "image", mediaType, raw: { bytes: new Uint8Array(), mediaType }, config, layers };
}

const zstdLayer = blob("zstd", layerFamilies.oci.zstd);
const schema1Image = imageFrom(schema1Signed, schema1Sample());

const plain = { frozenBecause: undefined, format: undefined };

const anyForm = ["gzip", "zstd", "none"] as const;
/** What becomes of layers where nobody says how they shall be compressed. */
const gzip = { kind: "compress", to: "gzip", anew: false } as const;

describe("planImage", () => {
  test.each<[string, ManifestType, DestinationTraits, ManifestType | undefined, ManifestType[]]>([
    ["keeps the type that a registry takes", oci, registry, undefined, [oci, schema2]],
    ["keeps Docker's type in a registry", schema2, registry, undefined, [schema2, oci]],
    ["converts for a layout", schema2, layout, undefined, [oci]],
    [
      "keeps anything in a directory",
      schema2,
      directory,
      undefined,
      [schema2, schema1Signed, oci, schema1],
    ],
    ["takes the type asked for, alone", oci, registry, schema2, [schema2]],
    [
      "keeps schema 1 where it is taken",
      schema1Signed,
      directory,
      undefined,
      [schema1Signed, schema2, oci, schema1],
    ],
    [
      "signs schema 1 rather than convert it",
      schema1,
      directory,
      undefined,
      [schema1, schema1Signed, schema2, oci],
    ],
  ])("%s", (_, own, traits, format, expected) => {
    const plan = planImage({ manifest: image(own), traits, frozenBecause: undefined, format });
    expect(plan.formats).toEqual(expected as [ManifestType]);
  });

  test("silently keeps a frozen manifest as it is, whatever was asked for", () => {
    const frozenBecause = "Instructed to preserve digests";
    const plan = planImage({
      manifest: image(schema2),
      traits: layout,
      frozenBecause,
      format: oci,
    });
    expect(plan.formats).toEqual([schema2]);
    expect(plan.steps.map(({ recoding }) => recoding.kind)).toEqual(["none", "none", "none"]);
  });

  test("fails where no type would do", () => {
    const traits = { ...layout, manifestTypes: [manifestTypes.ociIndex] };
    expect(() => planImage({ manifest: image(oci), traits, ...plain })).toThrow(
      `Cannot write a manifest of type ${oci}`,
    );
  });

  test("compresses layers, and never the config", () => {
    const { steps } = planImage({ manifest: image(oci), traits: registry, ...plain });
    expect(steps).toMatchObject([
      { blob: base, role: "layer", recoding: gzip, needsDiffId: false, standIns: anyForm },
      { blob: top, role: "layer", recoding: gzip, needsDiffId: false, standIns: anyForm },
      { blob: config, role: "config", recoding: { kind: "none" }, needsDiffId: false },
    ]);
  });

  test.each<[string, Partial<Parameters<typeof planImage>[0]>, readonly string[] | undefined]>([
    ["any form of its content", {}, anyForm],
    ["what its format can tell of", { format: schema2 }, ["gzip", "none"]],
    ["what schema 1 can tell of", { format: schema1Signed }, ["gzip", "none"]],
    ["nothing where no config names its content", { manifest: schema1Image }, undefined],
    ["nothing where no digest may change", { frozenBecause: "so" }, undefined],
    ["nothing where the image will be signed", { signing: true }, undefined],
    [
      "nothing where layers are kept as they are",
      { traits: { ...registry, layers: "preserve" } },
      undefined,
    ],
  ])("takes instead of a layer %s", (_, change, standIns) => {
    const { steps } = planImage({ manifest: image(oci), traits: registry, ...plain, ...change });
    expect(steps[0]?.standIns).toEqual(standIns as never);
  });

  test.each<[string, CompressionWish, Recoding]>([
    [
      "leaves what is compressed, with a level alone",
      { level: 9, exclusive: false },
      { ...gzip, level: 9 },
    ],
    [
      "compresses anew what is not as asked for",
      { format: "zstd", exclusive: false },
      { kind: "compress", to: "zstd", anew: true },
    ],
    [
      "asks for gzip by its name",
      { format: "gzip", level: 1, exclusive: true },
      { ...gzip, level: 1, anew: true },
    ],
  ])("%s", (_, compression, recoding) => {
    const wish = { manifest: image(oci), traits: registry, ...plain, compression };
    expect(planImage(wish).steps[0]?.recoding).toEqual(recoding);
    expect(
      planImage({ ...wish, traits: { ...registry, layers: "preserve" } }).steps[0]?.recoding.kind,
    ).toBe("none");
    expect(planImage({ ...wish, frozenBecause: "so" }).steps[0]?.recoding.kind).toBe("none");
  });

  test("lets nothing stand for a layer but what was insisted on", () => {
    const layers = [base, zstdLayer, top];
    const compression = { format: "zstd", exclusive: true } as const;
    const { steps } = planImage({
      manifest: image(oci, layers),
      traits: registry,
      ...plain,
      compression,
    });
    expect(steps.map(({ reusable, standIns }) => [reusable, standIns])).toEqual([
      [false, ["zstd"]],
      [true, ["zstd"]],
      [false, ["zstd"]],
      [true, undefined],
    ]);
  });

  test.each<[string, Partial<Parameters<typeof planImage>[0]>, boolean]>([
    ["takes one", {}, true],
    ["takes none that Docker's format has no word for", { format: schema2 }, false],
    ["takes none that schema 1 has no word for", { format: schema1Signed }, false],
    ["takes one that stays what it is", { format: schema2, frozenBecause: "so" }, true],
    [
      "takes one that its own format has a word for",
      { manifest: image(schema2, [zstdLayer]) },
      true,
    ],
  ])("of zstd layers that are there, %s", (_, change, reusable) => {
    const manifest = image(oci, [zstdLayer]);
    const { steps } = planImage({ manifest, traits: registry, ...plain, ...change });
    expect(steps[0]?.reusable).toBe(reusable);
  });

  test("takes as it is what would stay as it is, whatever was insisted on", () => {
    const compression = { format: "zstd", exclusive: true } as const;
    const manifest = image(oci, [blob("odd", "application/vnd.in-toto+json")]);
    const { steps } = planImage({ manifest, traits: registry, ...plain, compression });
    expect(steps.map(({ reusable }) => reusable)).toEqual([true, true]);
  });

  test.each([
    ["of a type nobody knows", "application/x-something"],
    ["that are encrypted", `${layerFamilies.oci.gzip}+encrypted`],
  ])("leaves the bytes of layers %s alone", (_, mediaType) => {
    const manifest = image(oci, [blob("odd", mediaType)]);
    const { steps } = planImage({ manifest, traits: registry, ...plain });
    expect(steps[0]?.recoding.kind).toBe("none");
  });

  test("refuses encrypted layers where they cannot be kept, and says what to do", () => {
    const store: DestinationTraits = { ...directory, refusesEncryption: "not here" };
    const locked = image(oci, [blob("locked", `${layerFamilies.oci.gzip}+encrypted`)]);
    const encrypting = { kind: "encrypt", wrappings: [], layers: [] } as const;
    const refused = [
      [locked, undefined, "to decrypt them on the way, name a key with --decryption-key"],
      [image(oci), encrypting, "to copy the image there, leave out --encryption-key"],
    ] as const;
    for (const [manifest, crypt, hint] of refused) {
      const planning = () => planImage({ manifest, traits: store, ...plain, crypt });
      expect(planning).toThrow(expect.objectContaining({ message: "not here", hint }));
    }
    const crypt = { kind: "decrypt", openings: [] } as const;
    const { steps } = planImage({ manifest: locked, traits: store, ...plain, crypt });
    expect(steps[0]?.crypt).toBe("decrypt");
  });

  test.each([
    ["another config", image(oci), "application/vnd.example.config+json"],
    ["Docker's config", image(oci), "application/vnd.docker.container.image.v1+json"],
  ])("leaves the layers of an artifact with %s alone", (_, manifest, mediaType) => {
    const artifact = { ...manifest, config: { ...config, mediaType } };
    const compression = { format: "zstd", exclusive: true } as const;
    const { steps } = planImage({ manifest: artifact, traits: registry, ...plain, compression });
    expect(steps.map(({ recoding, standIns }) => [recoding.kind, standIns])).toEqual(
      steps.map(() => ["none", undefined]),
    );
  });

  test("leaves layers alone whose type is of another format than the manifest", () => {
    const manifest = image(oci, [blob("odd", layerFamilies.docker.none)]);
    const { steps } = planImage({ manifest, traits: registry, ...plain });
    expect(steps[0]?.recoding.kind).toBe("none");
  });

  test("leaves the config to the commit where it is converted", () => {
    const { steps } = planImage({ manifest: image(schema2), traits: layout, ...plain });
    expect(steps.map(({ role }) => role)).toEqual(["layer", "layer"]);
  });

  test("moves a blob once that is named twice", () => {
    const { steps } = planImage({
      manifest: image(oci, [base, top, base]),
      traits: layout,
      ...plain,
    });
    expect(steps.map(({ blob: { digest } }) => digest)).toEqual([
      base.digest,
      top.digest,
      config.digest,
    ]);
  });

  test.each([
    ["leaves foreign layers where they are, if the destination can", registry, 1],
    ["fetches foreign layers otherwise", directory, 2],
  ])("%s", (_, traits, count) => {
    const foreign = blob("foreign", layerFamilies.ociNondistributable.gzip, {
      urls: ["https://example.com/layer"],
    });
    const { steps } = planImage({ manifest: image(oci, [foreign]), traits, ...plain });
    expect(steps.length).toBe(count);
  });

  describe("of a schema 1 image", () => {
    const old = schema1Image;
    const [empty, full] = old.layers.map((layer) => ({
      ...layer,
      mediaType: layerFamilies.docker.gzip,
    }));

    test("asks what its layers hold, and leaves those that hold nothing, where it is converted", () => {
      const { steps } = planImage({ manifest: old, traits: layout, ...plain });
      expect(steps).toEqual([
        { blob: full, role: "layer", recoding: gzip, needsDiffId: true, reusable: true },
      ] as BlobStep[]);
    });

    test("moves all its layers, and asks nothing, where it stays", () => {
      const traits = { ...registry, manifestTypes: [schema1Signed, schema2] };
      const { steps } = planImage({ manifest: old, traits, ...plain });
      expect(steps).toEqual([
        { blob: empty, role: "layer", recoding: gzip, needsDiffId: false, reusable: true },
        { blob: full, role: "layer", recoding: gzip, needsDiffId: false, reusable: true },
      ] as BlobStep[]);
    });
  });

  test("fetches foreign layers for schema 1, which cannot say where they are", () => {
    const foreign = blob("foreign", layerFamilies.ociNondistributable.gzip, {
      urls: ["https://example.com/layer"],
    });
    const manifest = image(oci, [foreign]);
    const wish = { traits: registry, frozenBecause: undefined, format: schema1Signed };
    expect(planImage({ manifest, ...wish }).steps.map(({ blob }) => blob)).toEqual([foreign]);
  });
});
