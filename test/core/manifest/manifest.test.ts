import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import {
  configTypes,
  type ManifestType,
  manifestTypes,
} from "../../../core/content/media-types.ts";
import { limits } from "../../../core/limits.ts";
import {
  effectiveType,
  guessType,
  manifestDigest,
  parseManifest,
} from "../../../core/manifest/manifest.ts";
import { failureOf } from "../../support/failure-of.ts";
import { randomBytes } from "../../support/random.ts";
import {
  dockerListSample,
  entrySample,
  ociIndexSample,
  ociLayer,
  ociSample,
  rawSample,
  type Sample,
  schema1Sample,
  schema2Layer,
  schema2Sample,
  someDigest,
} from "../../support/sample-manifests.ts";

const { schema1, schema1Signed, schema2, dockerList, oci, ociIndex } = manifestTypes;

const samples: readonly (readonly [ManifestType, Sample])[] = [
  [schema1, schema1Sample()],
  [schema1Signed, schema1Sample()],
  [schema2, schema2Sample()],
  [dockerList, dockerListSample([entrySample("linux/amd64")])],
  [oci, ociSample()],
  [ociIndex, ociIndexSample([entrySample("linux/amd64")])],
];

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

describe("effectiveType", () => {
  test.each(Object.values(manifestTypes))("is %s where that is reported", (mediaType) => {
    expect(effectiveType(rawSample(mediaType, {}))).toBe(mediaType);
  });

  test.each(["", "text/plain", "application/json", `${oci}; charset=utf-8`])(
    "is that of signed schema 1 manifests where %j is reported",
    (mediaType) => {
      expect(effectiveType(rawSample(mediaType, {}))).toBe(schema1Signed);
    },
  );
});

describe("guessType", () => {
  test.each<[string, unknown, ManifestType | undefined]>([
    ["the word of a schema 2 manifest", { mediaType: schema2 }, schema2],
    ["the word of a Docker list", { mediaType: dockerList }, dockerList],
    ["the word of an OCI manifest", { mediaType: oci }, oci],
    ["the word of an index in capitals", { MEDIATYPE: ociIndex }, ociIndex],
    ["schema 1", { schemaVersion: 1 }, schema1],
    ["schema 1 of any word", { schemaVersion: 1, mediaType: schema1Signed }, schema1],
    ["schema 1 with signatures", { schemaVersion: 1, signatures: [] }, schema1Signed],
    ["schema 1 with no signatures", { schemaVersion: 1, signatures: null }, schema1],
    ["an OCI config", { schemaVersion: 2, config: { mediaType: configTypes.oci } }, oci],
    ["a Docker config", { schemaVersion: 2, config: { mediaType: configTypes.docker } }, schema2],
    ["images", { schemaVersion: 2, manifests: [{}] }, ociIndex],
    ["no images", { schemaVersion: 2, manifests: [] }, oci],
    ["nothing but a version", { schemaVersion: 2 }, oci],
    ["another config", { schemaVersion: 2, config: { mediaType: "x/y" } }, oci],
    [
      "images and another config",
      { schemaVersion: 2, manifests: [{}], config: { mediaType: "x/y" } },
      undefined,
    ],
    ["another version", { schemaVersion: 3 }, undefined],
    ["no object", [], undefined],
    ["no JSON", "<html>", undefined],
    ["nothing", "", undefined],
  ])("guesses by %s", (_, document, type) => {
    expect(guessType(encoded(document))).toBe(type);
  });
});

describe("manifestDigest", () => {
  test("is that of the bytes, by any algorithm", () => {
    const { bytes } = rawSample(oci, ociSample());
    expect(manifestDigest(bytes)).toBe(digestOf(bytes));
    expect(manifestDigest(bytes, "sha512")).toBe(digestOf(bytes, "sha512"));
    expect(manifestDigest(encoded("no manifest"))).toBe(digestOf(encoded("no manifest")));
  });
});

describe("parseManifest", () => {
  test("reads an image", () => {
    const raw = rawSample(oci, ociSample({ artifactType: "x/y", annotations: { a: "b" } }));
    expect(parseManifest(raw)).toEqual({
      kind: "image",
      mediaType: oci,
      raw,
      config: { mediaType: configTypes.oci, digest: someDigest("config"), size: 7 },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          digest: someDigest("layer"),
          size: 29,
        },
      ],
      artifactType: "x/y",
      annotations: { a: "b" },
    });
  });

  test("reads a list", () => {
    const entries = [entrySample("linux/arm/v7"), entrySample(undefined)];
    const raw = rawSample(ociIndex, ociIndexSample(entries, { annotations: { a: "b" } }));
    expect(parseManifest(raw)).toMatchObject({
      kind: "list",
      mediaType: ociIndex,
      instances: entries,
      annotations: { a: "b" },
    });
  });

  test("reads a schema 1 image with its base layer first, and no config", () => {
    const raw = rawSample("", schema1Sample());
    expect(parseManifest(raw)).toEqual({
      kind: "image",
      mediaType: schema1Signed,
      raw,
      layers: [
        { mediaType: "", digest: someDigest("older") },
        { mediaType: "", digest: someDigest("newer") },
      ],
    });
  });

  test("reads names in any letter case, as readers in Go do", () => {
    const { layers, ...others } = ociSample();
    expect(parseManifest(rawSample(oci, { ...others, LAYERS: layers }))).toMatchObject({
      layers: [{ digest: someDigest("layer") }],
    });
  });

  const own: Readonly<Record<ManifestType, readonly string[]>> = {
    [schema1]: ["fsLayers", "history"],
    [schema1Signed]: ["fsLayers", "history"],
    [schema2]: ["config", "layers"],
    [oci]: ["config", "layers"],
    [dockerList]: ["manifests"],
    [ociIndex]: ["manifests"],
  };

  describe.each(samples)("of type %s", (type, sample) => {
    const foreign = ["config", "fsLayers", "history", "layers", "manifests"].filter(
      (name) => !own[type].includes(name),
    );

    test("refuses each member of another kind, in any letter case (C4)", () => {
      for (const name of foreign) {
        for (const spelling of [name, name.toUpperCase(), name.replace("s", "\u017f")]) {
          for (const value of [[], {}, "", 0, false]) {
            const raw = rawSample(type, { ...sample, [spelling]: value });
            expect(failureOf(() => parseManifest(raw))).toMatchObject({
              code: "corrupt",
              message: `rejecting ambiguous manifest, unexpected fields []string{"${name}"} in supposedly ${type}`,
            });
          }
        }
      }
    });

    test("names all of them at once, in the original's order (C4)", () => {
      const extra = Object.fromEntries(foreign.toReversed().map((name) => [name, 1]));
      const named = foreign.map((name) => `"${name}"`).join(", ");
      expect(
        failureOf(() => parseManifest(rawSample(type, { ...sample, ...extra }))),
      ).toMatchObject({
        message: `rejecting ambiguous manifest, unexpected fields []string{${named}} in supposedly ${type}`,
      });
    });

    test("lets null pass for nothing", () => {
      const nothing = Object.fromEntries(foreign.map((name) => [name, null]));
      expect(() => parseManifest(rawSample(type, { ...sample, ...nothing }))).not.toThrow();
    });

    test("refuses its own members twice, in the same letter case and in others (C4)", () => {
      for (const name of own[type]) {
        const text = JSON.stringify(sample);
        const twice = text.replace(`"${name}":`, `"${name}":[],"${name}":`);
        expect(
          failureOf(() => parseManifest({ mediaType: type, bytes: encoded(twice) })),
        ).toMatchObject({ code: "corrupt", message: `Duplicate key "${name}"` });
        const raw = rawSample(type, { ...sample, [name.toUpperCase()]: [] });
        expect(failureOf(() => parseManifest(raw))).toMatchObject({
          code: "corrupt",
          message: `Invalid manifest: it is ambiguous, with both "${name}" and "${name.toUpperCase()}"`,
        });
      }
    });

    test("refuses to be called something else than it was delivered as (C4)", () => {
      for (const other of [schema2, dockerList, oci, ociIndex]) {
        if (other === type) continue;
        const raw = rawSample(type, { ...sample, mediaType: other });
        expect(failureOf(() => parseManifest(raw))).toMatchObject({
          code: "corrupt",
          message: `rejecting ambiguous manifest, delivered as ${type}, but by its own word ${other}`,
        });
      }
    });

    test("never fails with anything but a Failure, whatever byte is wrong", () => {
      const { bytes } = rawSample(type, sample);
      const random = randomBytes(`manifest ${type}`, 2 * bytes.length);
      for (let at = 0; at < bytes.length; at++) {
        const value = random[at] ?? 0;
        try {
          parseManifest({ mediaType: type, bytes: bytes.with(at, value) });
        } catch (error) {
          expect([at, value, error]).toEqual([
            at,
            value,
            expect.objectContaining({ code: "corrupt" }),
          ]);
        }
      }
    });
  });

  test.each<[string, ManifestType, Sample]>([
    ["a layer's", oci, ociSample({ layers: [ociLayer({ digest: "sha256:../../x" })] })],
    ["a config's", oci, ociSample({ config: { ...ociLayer(), digest: "md5:abc" } })],
    ["a subject's", oci, ociSample({ subject: ociLayer({ digest: "" }) })],
    ["a Docker layer's", schema2, schema2Sample({ layers: [schema2Layer({ digest: "x" })] })],
    ["an image's", ociIndex, ociIndexSample([entrySample(undefined, { digest: "SHA256:x" })])],
    ["a Docker image's", dockerList, dockerListSample([entrySample("a/b", { digest: "/" })])],
    ["a schema 1 layer's", schema1, schema1Sample({ fsLayers: [{ blobSum: "x" }, {}] })],
  ])("refuses %s digest that is none (C1)", (_, type, sample) => {
    const failure = failureOf(() => parseManifest(rawSample(type, sample)));
    expect(failure).toMatchObject({
      code: "corrupt",
      message: expect.stringContaining("invalid digest"),
    });
  });

  test.each([-1, 1.5, "5", null, 2 ** 53, true])("refuses a size of %p everywhere (C2)", (size) => {
    const broken: readonly (readonly [ManifestType, Sample])[] = [
      [oci, ociSample({ layers: [ociLayer({ size })] })],
      [oci, ociSample({ config: ociLayer({ size }) })],
      [schema2, schema2Sample({ layers: [schema2Layer({ size })] })],
      [ociIndex, ociIndexSample([entrySample(undefined, { size })])],
      [dockerList, dockerListSample([entrySample("linux/amd64", { size })])],
    ];
    for (const [type, sample] of broken) {
      expect(failureOf(() => parseManifest(rawSample(type, sample)))).toMatchObject({
        code: "corrupt",
        message: expect.stringMatching(/size is /),
      });
    }
  });

  test("takes as many layers as the limit, and not one more", () => {
    const layers = Array.from({ length: limits.layers }, () => ociLayer());
    expect(parseManifest(rawSample(oci, ociSample({ layers })))).toMatchObject({ kind: "image" });
    const more = rawSample(oci, ociSample({ layers: [...layers, ociLayer()] }));
    expect(failureOf(() => parseManifest(more))).toMatchObject({
      code: "corrupt",
      message: "Manifest has 10001 layers, more than 10000",
    });
  });

  test("refuses more behind the manifest", () => {
    const bytes = encoded(`${JSON.stringify(ociSample())}{}`);
    expect(failureOf(() => parseManifest({ mediaType: oci, bytes }))).toMatchObject({
      message: "Unexpected data after JSON object",
    });
  });
});
