import { describe, expect, test } from "bun:test";

import { type Digest, digestOf } from "../../../core/content/digest.ts";
import {
  configTypes,
  type ManifestType,
  manifestTypes,
} from "../../../core/content/media-types.ts";
import { encodeJson } from "../../../core/json.ts";
import { canConvert, needsDiffIds, rewriteImage } from "../../../core/manifest/convert.ts";
import { failureOf } from "../../support/failure-of.ts";
import {
  imageFrom,
  ociLayer,
  ociSample,
  schema1Sample,
  schema2Layer,
  schema2Sample,
  someDigest,
} from "../../support/sample-manifests.ts";

const { dockerList, oci, ociIndex, schema1, schema1Signed, schema2 } = manifestTypes;

const docker = "application/vnd.docker.image.rootfs";
const ociTar = "application/vnd.oci.image.layer.v1.tar";
const foreignTar = "application/vnd.oci.image.layer.nondistributable.v1.tar";
const nothing = new Uint8Array();
const digest = someDigest("layer");

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decoded(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

describe("canConvert", () => {
  test("knows that images turn into images of every format, and lists into none", () => {
    const imageTypes: ManifestType[] = [schema1, schema1Signed, schema2, oci];
    const types = [...imageTypes, dockerList, ociIndex];
    for (const from of types) {
      const possible = types.filter((to) => canConvert(from, to));
      expect(possible).toEqual(imageTypes.includes(from) ? imageTypes : [from]);
    }
  });
});

describe("needsDiffIds", () => {
  test.each([
    [schema1, schema2, true],
    [schema1Signed, oci, true],
    [schema1, schema1Signed, false],
    [schema2, schema1Signed, false],
    [schema2, oci, false],
  ])("of %s to %s is %p", (from, to, expected) => {
    expect(needsDiffIds(from, to)).toBe(expected);
  });
});

describe("rewriteImage", () => {
  const images = [
    ["schema 1", imageFrom(schema1Signed, schema1Sample())],
    ["schema 2", imageFrom(schema2, schema2Sample())],
    ["OCI", imageFrom(oci, ociSample({ unknown: 1 }))],
  ] as const;

  test.each(images)("gives back the very bytes of %s where nothing changes", (_, image) => {
    const to = image.mediaType;
    for (const layers of [undefined, image.layers, image.layers.map((layer) => ({ ...layer }))]) {
      const written = rewriteImage(image, { to, config: nothing, ...(layers && { layers }) });
      expect(written.manifest).toBe(image.raw);
      expect(written.config).toBeUndefined();
    }
  });

  test("finds a bug in another number of layers", () => {
    const image = imageFrom(oci, ociSample());
    const change = { to: oci, layers: [], config: nothing };
    expect(failureOf(() => rewriteImage(image, change))).toMatchObject({ code: "bug" });
  });

  test.each([schema1, schema2, oci])("makes no list of %s", (from) => {
    const [, image] = images[from === oci ? 2 : from === schema2 ? 1 : 0];
    const change = { to: ociIndex, config: nothing };
    expect(failureOf(() => rewriteImage(image, change))).toMatchObject({
      code: "unsupported",
      message: `Conversion of image manifest from ${image.mediaType} to ${ociIndex} is not implemented`,
    });
  });
});

describe("rewriteImage from schema 1", () => {
  const image = imageFrom(schema1, schema1Sample());
  const [older, newer] = [someDigest("older"), someDigest("newer")];
  const layers = [
    { mediaType: `${docker}.diff.tar.gzip`, digest: older, size: 32 },
    { mediaType: `${docker}.diff.tar.gzip`, digest: someDigest("packed"), size: 100 },
  ];
  const diffIds = new Map([[newer, someDigest("content")]]);
  const change = { layers, diffIds, config: nothing };

  test.each([
    [schema2, `${docker}.diff.tar.gzip`],
    [oci, `${ociTar}+gzip`],
  ])("to %s names the layers that hold something, and what they hold", (to, mediaType) => {
    const { manifest, config } = rewriteImage(image, { ...change, to });
    const { bytes = nothing, descriptor } = config ?? {};
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      mediaType: to,
      config: { ...descriptor },
      layers: [{ mediaType, digest: someDigest("packed"), size: 100 }],
    });
    expect(descriptor?.digest).toBe(digestOf(bytes));
    expect(JSON.parse(decoded(bytes))).toMatchObject({
      architecture: "arm",
      rootfs: { type: "layers", diff_ids: [someDigest("content")] },
      history: [{ empty_layer: true }, { created_by: "a b" }],
    });
  });

  test("finds a bug in a layer that was not read", () => {
    const unread = { ...change, to: oci, diffIds: new Map() };
    expect(failureOf(() => rewriteImage(image, unread))).toMatchObject({ code: "bug" });
  });

  test("passes zstd off as nothing else", () => {
    const zstd = layers.map((layer) => ({ ...layer, mediaType: `${docker}.diff.tar.zstd` }));
    const written = rewriteImage(image, { ...change, to: oci, layers: zstd });
    expect(JSON.parse(decoded(written.manifest.bytes))).toMatchObject({
      layers: [{ mediaType: `${ociTar}+zstd` }],
    });
    expect(
      failureOf(() => rewriteImage(image, { ...change, to: schema2, layers: zstd })),
    ).toMatchObject({ code: "unsupported", message: expect.stringContaining("zstd") });
  });

  test.each([
    ["another name", { to: schema1, name: { name: "other/name", tag: "latest" } }],
    ["another tag", { to: schema1, name: { name: "some/name", tag: "" } }],
    ["the signed type", { to: schema1Signed }],
    ["other layers", { to: schema1, layers }],
  ])("to schema 1 writes it anew, unsigned, for %s", (_, wish) => {
    const { manifest, config } = rewriteImage(image, { config: nothing, ...wish });
    const before = schema1Sample();
    const named = "layers" in wish ? [someDigest("packed"), older] : [newer, older];
    expect(manifest.mediaType).toBe(schema1);
    expect(config).toBeUndefined();
    expect(decoded(manifest.bytes)).toBe(
      encodeJson({
        ...("name" in wish ? wish.name : { name: "some/name", tag: "latest" }),
        architecture: "amd64",
        fsLayers: named.map((blobSum) => ({ blobSum })),
        history: before["history"],
        schemaVersion: 1,
      }),
    );
  });

  test("to schema 1 keeps every byte where the name is the same", () => {
    const name = { name: "some/name", tag: "latest" };
    const same = { to: schema1, config: nothing, name, layers: layers.map(sameAs) };
    expect(rewriteImage(image, same).manifest).toBe(image.raw);
  });

  function sameAs(layer: (typeof layers)[number], index: number) {
    return { ...layer, digest: [older, newer][index] ?? older };
  }
});

describe("rewriteImage to schema 1", () => {
  const history = [{ created_by: "1" }, { created_by: "2", empty_layer: true }];
  const config = encoded(JSON.stringify({ architecture: "arm", os: "linux", history }));
  const name = { name: "library/x", tag: "1" };

  test.each([
    ["schema 2", imageFrom(schema2, schema2Sample())],
    ["OCI", imageFrom(oci, ociSample())],
  ])("turns %s into the same manifest, unsigned, and brings the empty layer", (_, image) => {
    const {
      manifest,
      emptyLayer,
      config: none,
    } = rewriteImage(image, {
      to: schema1Signed,
      config,
      name,
    });
    expect(manifest.mediaType).toBe(schema1);
    expect(none).toBeUndefined();
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      ...name,
      architecture: "arm",
      fsLayers: [{ blobSum: emptyLayer?.descriptor.digest }, { blobSum: digest }],
    });
    // What was written can be read.
    expect(imageFrom(schema1, JSON.parse(decoded(manifest.bytes))).layers.length).toBe(2);
  });

  test.each([
    [
      "OCI's zstd",
      imageFrom(oci, ociSample({ layers: [ociLayer({ mediaType: `${ociTar}+zstd` })] })),
    ],
    [
      "Docker's zstd",
      imageFrom(
        schema2,
        schema2Sample({ layers: [schema2Layer({ mediaType: `${docker}.diff.tar.zstd` })] }),
      ),
    ],
    ["an artifact", imageFrom(oci, ociSample({ config: ociLayer({ mediaType: "x/y" }) }))],
  ])("refuses %s", (_, image) => {
    expect(failureOf(() => rewriteImage(image, { to: schema1Signed, config }))).toMatchObject({
      code: "unsupported",
    });
  });
});

describe("rewriteImage with other layers", () => {
  const unpacked = { digest: someDigest("unpacked"), size: 1024 };

  test("changes an OCI manifest in its layers alone", () => {
    const about = { annotations: { z: "1" }, subject: ociLayer(), artifactType: "q/r" };
    const layer = ociLayer({ data: "eA==", platform: { os: "l" }, artifactType: "x/y" });
    const image = imageFrom(oci, ociSample({ layers: [layer, ociLayer()], ...about }));
    const [first, second] = image.layers;
    if (first === undefined || second === undefined) throw new Error("has two layers");
    const layers = [{ ...first, ...unpacked, mediaType: ociTar }, second];
    const written = rewriteImage(image, { to: oci, layers, config: nothing });
    const { schemaVersion, mediaType, config } = ociSample();
    expect(decoded(written.manifest.bytes)).toBe(
      encodeJson({
        schemaVersion,
        mediaType,
        artifactType: "q/r",
        config,
        // What described the old bytes is gone.
        layers: [{ mediaType: ociTar, ...unpacked }, ociLayer()],
        subject: ociLayer(),
        annotations: { z: "1" },
      }),
    );
    expect(written.manifest.mediaType).toBe(oci);
    expect(written.config).toBeUndefined();
  });

  test("changes a schema 2 manifest in its layers alone", () => {
    const image = imageFrom(schema2, schema2Sample({ unknown: 1 }));
    const layers = [{ mediaType: `${docker}.diff.tar`, ...unpacked }];
    const written = rewriteImage(image, { to: schema2, layers, config: nothing });
    const { size } = unpacked;
    expect(decoded(written.manifest.bytes)).toBe(
      encodeJson(
        schema2Sample({
          layers: [{ mediaType: `${docker}.diff.tar`, size, digest: unpacked.digest }],
        }),
      ),
    );
  });

  test("takes URLs away, where a foreign layer travelled", () => {
    const layer = ociLayer({ urls: ["http://a"] });
    const image = imageFrom(oci, ociSample({ layers: [layer] }));
    const layers = image.layers.map(({ urls, ...own }) => own);
    const written = rewriteImage(image, { to: oci, layers, config: nothing });
    expect(decoded(written.manifest.bytes)).toBe(encodeJson(ociSample()));
  });
});

describe("rewriteImage from schema 2 to OCI", () => {
  const config = encoded(
    '{"os":"linux","architecture":"amd64","container":"x","rootfs":{"type":"layers","diff_ids":["d"]}}',
  );
  // As skopeo 1.22 writes it.
  const ociConfig =
    '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["d"]}}';

  test("writes the bytes that the original writes, manifest and config", () => {
    const image = imageFrom(schema2, schema2Sample());
    const written = rewriteImage(image, { to: oci, config });
    const configDigest = digestOf(encoded(ociConfig));
    const descriptor = {
      mediaType: configTypes.oci,
      digest: configDigest,
      size: ociConfig.length,
    };
    expect(written.config).toEqual({ bytes: encoded(ociConfig), descriptor });
    expect(written.manifest.mediaType).toBe(oci);
    expect(decoded(written.manifest.bytes)).toBe(
      `{"schemaVersion":2,"mediaType":"${oci}","config":{"mediaType":"${configTypes.oci}","digest":"${configDigest}","size":${ociConfig.length}},"layers":[{"mediaType":"${ociTar}+gzip","digest":"${digest}","size":29}]}`,
    );
  });

  test.each([
    ["diff.tar", ociTar],
    ["diff.tar.gzip", `${ociTar}+gzip`],
    ["diff.tar.zstd", `${ociTar}+zstd`],
    ["foreign.diff.tar", foreignTar],
    ["foreign.diff.tar.gzip", `${foreignTar}+gzip`],
  ])("names a layer of type …%s %s, and keeps its URLs", (type, becomes) => {
    const urls = ["http://x/y"];
    const layers = [schema2Layer({ mediaType: `${docker}.${type}`, urls })];
    const image = imageFrom(schema2, schema2Sample({ layers }));
    const { manifest } = rewriteImage(image, { to: oci, config });
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      layers: [{ mediaType: becomes, digest, size: 29, urls }],
    });
  });

  test("takes changed layers along", () => {
    const image = imageFrom(schema2, schema2Sample());
    const layers = [{ mediaType: `${docker}.diff.tar`, digest: someDigest("new"), size: 1024 }];
    const { manifest } = rewriteImage(image, { to: oci, layers, config });
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      layers: [{ mediaType: ociTar, digest: someDigest("new"), size: 1024 }],
    });
  });

  test("fails on a config that cannot be understood", () => {
    const image = imageFrom(schema2, schema2Sample());
    const failure = failureOf(() => rewriteImage(image, { to: oci, config: encoded("<html>") }));
    expect(failure).toMatchObject({ code: "corrupt" });
  });
});

describe("rewriteImage from OCI to schema 2", () => {
  const config = encoded("the config, whatever it says");

  test("writes the bytes that the original writes, and the config as it is", () => {
    const layer = ociLayer({
      urls: ["http://a/"],
      annotations: { b: "1" },
      data: "eA==",
      artifactType: "x",
    });
    const image = imageFrom(
      oci,
      ociSample({
        layers: [layer],
        annotations: { z: "1" },
        subject: ociLayer(),
        artifactType: "q",
      }),
    );
    const written = rewriteImage(image, { to: schema2, config });
    const configDigest = someDigest("config");
    expect(decoded(written.manifest.bytes)).toBe(
      `{"schemaVersion":2,"mediaType":"${schema2}","config":{"mediaType":"${configTypes.docker}","size":7,"digest":"${configDigest}"},"layers":[{"mediaType":"${docker}.diff.tar.gzip","size":29,"digest":"${digest}","urls":["http://a/"]}]}`,
    );
    expect(written.manifest.mediaType).toBe(schema2);
    expect(written.config).toEqual({
      bytes: config,
      descriptor: { mediaType: configTypes.docker, digest: configDigest as Digest, size: 7 },
    });
  });

  test.each([
    [ociTar, "diff.tar"],
    [`${ociTar}+gzip`, "diff.tar.gzip"],
    [foreignTar, "foreign.diff.tar"],
    [`${foreignTar}+gzip`, "foreign.diff.tar.gzip"],
  ])("names a layer of type %s …%s", (mediaType, becomes) => {
    const image = imageFrom(oci, ociSample({ layers: [ociLayer({ mediaType })] }));
    const { manifest } = rewriteImage(image, { to: schema2, config });
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      layers: [{ mediaType: `${docker}.${becomes}` }],
    });
  });

  test.each([
    [
      `${ociTar}+zstd`,
      `Error during manifest conversion: "${ociTar}+zstd": zstd compression is not officially supported for docker images`,
    ],
    [
      `${foreignTar}+zstd`,
      `Error during manifest conversion: "${foreignTar}+zstd": zstd compression is not supported for docker images`,
    ],
    [
      `${ociTar}+gzip+encrypted`,
      `during manifest conversion: encrypted layers ("${ociTar}+gzip+encrypted") are not supported in docker images`,
    ],
    [`${ociTar}+xz`, `Unknown media type during manifest conversion: "${ociTar}+xz"`],
    ["", 'Unknown media type during manifest conversion: ""'],
    [
      `${docker}.diff.tar.gzip`,
      `Unknown media type during manifest conversion: "${docker}.diff.tar.gzip"`,
    ],
  ])("has no name for a layer of type %j", (mediaType, message) => {
    const image = imageFrom(oci, ociSample({ layers: [ociLayer({ mediaType })] }));
    expect(failureOf(() => rewriteImage(image, { to: schema2, config }))).toMatchObject({
      code: "unsupported",
      message,
    });
  });

  test("takes a zstd layer that was recompressed on the way", () => {
    const image = imageFrom(
      oci,
      ociSample({ layers: [ociLayer({ mediaType: `${ociTar}+zstd` })] }),
    );
    const layers = [{ mediaType: `${ociTar}+gzip`, digest: someDigest("new"), size: 9 }];
    const { manifest } = rewriteImage(image, { to: schema2, layers, config });
    expect(JSON.parse(decoded(manifest.bytes))).toMatchObject({
      layers: [{ mediaType: `${docker}.diff.tar.gzip`, digest: someDigest("new"), size: 9 }],
    });
  });

  test.each([
    ["x/y", 'unsupported image-specific operation on artifact with type "x/y"'],
    ["", 'unsupported image-specific operation on artifact with type ""'],
    [
      configTypes.docker,
      `invalid mixed OCI image with Docker v2s2 config ("${configTypes.docker}")`,
    ],
  ])("makes no image of an artifact with config type %j", (mediaType, message) => {
    const image = imageFrom(oci, ociSample({ config: ociLayer({ mediaType }) }));
    expect(failureOf(() => rewriteImage(image, { to: schema2, config }))).toMatchObject({
      code: "unsupported",
      message,
    });
  });

  test("calls an artifact what it calls itself", () => {
    const sample = ociSample({ config: ociLayer({ mediaType: "x/y" }) });
    const image = imageFrom(oci, { ...sample, artifactType: "q/r" });
    expect(() => rewriteImage(image, { to: schema2, config })).toThrow(
      'unsupported image-specific operation on artifact with type "q/r"',
    );
  });
});

describe("there and back", () => {
  test("an image that says nothing special is the same as before", () => {
    const config = encoded(
      '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"","diff_ids":null}}',
    );
    const layers = [ociLayer(), ociLayer({ mediaType: foreignTar, urls: ["http://a"] })];
    const descriptor = {
      mediaType: configTypes.oci,
      digest: digestOf(config),
      size: config.length,
    };
    const image = imageFrom(oci, ociSample({ config: descriptor, layers }));
    const there = rewriteImage(image, { to: schema2, config });
    const asDocker = imageFrom(schema2, JSON.parse(decoded(there.manifest.bytes)));
    const back = rewriteImage(asDocker, { to: oci, config });
    expect(JSON.parse(decoded(back.manifest.bytes))).toEqual(JSON.parse(decoded(image.raw.bytes)));
    expect(back.config?.bytes).toEqual(config);
  });
});
