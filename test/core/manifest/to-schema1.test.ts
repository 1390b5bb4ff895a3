import { describe, expect, test } from "bun:test";

import { digestOf, parseDigest } from "../../../core/content/digest.ts";
import { emptyLayer, toSchema1 } from "../../../core/manifest/to-schema1.ts";
import { failureOf } from "../../support/failure-of.ts";

const base = parseDigest("sha256:6d27b8dd131c035656fadf693dd783cfbfffeedc368faf2163bb13c5bc0d68aa");
const top = parseDigest("sha256:54985e0d544c05f676b3c1ef8ba3076faf3632be854d845d05a3fe78f1b67520");
const layers = [base, top].map((digest) => ({ was: digest, stored: digest }));
const name = { name: "", tag: "" };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function withHistory(...history: readonly object[]): Uint8Array {
  return bytesOf(JSON.stringify({ history }));
}

function writtenOf(...parts: Parameters<typeof toSchema1>) {
  return JSON.parse(new TextDecoder().decode(toSchema1(...parts).bytes));
}

describe("emptyLayer", () => {
  test("is what its digest says, and an empty archive", () => {
    const { bytes, descriptor } = emptyLayer;
    expect(digestOf(bytes)).toBe(descriptor.digest);
    expect(bytes.length).toBe(descriptor.size ?? 0);
    expect(Bun.gunzipSync(Buffer.from(bytes))).toEqual(new Uint8Array(1024));
  });
});

describe("toSchema1", () => {
  // Config and manifest as the original was given the one and wrote the other.
  const config = String.raw` {"z" : 1.50e3, "big":123456789012345678901234567890, "s":"\u00fc\/<x>${"\u2028"}", "nul":null, "dup":1, "dup":2, "Architecture":"Arm", "os":"linux","id":"old","parent":"op", "a\u003cb":1, "rootfs":{"type":"layers","diff_ids":["sha256:08d5b18a698ad620826d37273e1d295912895e1e04fe19b3b4754decb31d347c","sha256:336c94ed746b2a6d8c6a82524ecebe90c5dfc96df62010da9a80813647dfc8df"]}, "history":[{"created":"2020-01-01T00:00:00.10+02:00","created_by":"a <b>","author":"me","comment":"cc"},{"empty_layer":true,"created":"0001-01-01T00:00:00Z"},{"created_by":""}], "config" : { "b" : [ 1 , 2 ], "a" : { } } } `;
  const manifest = String.raw`{"name":"","tag":"","architecture":"Arm","fsLayers":[{"blobSum":"sha256:54985e0d544c05f676b3c1ef8ba3076faf3632be854d845d05a3fe78f1b67520"},{"blobSum":"sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"},{"blobSum":"sha256:6d27b8dd131c035656fadf693dd783cfbfffeedc368faf2163bb13c5bc0d68aa"}],"history":[{"v1Compatibility":"{\"Architecture\":\"Arm\",\"a\\u003cb\":1,\"big\":123456789012345678901234567890,\"config\":{\"b\":[1,2],\"a\":{}},\"dup\":2,\"id\":\"258d31061afb13be4f99afebe61d87925c142c6b6fe34362942a9635e198064d\",\"nul\":null,\"os\":\"linux\",\"parent\":\"2ff76a51a8413d3f094a39e9fac53807f830dda6fb0d4d5bb2add5a2a5d9abad\",\"s\":\"\\u00fc\\/\\u003cx\\u003e\\u2028\",\"z\":1.50e3}"},{"v1Compatibility":"{\"id\":\"2ff76a51a8413d3f094a39e9fac53807f830dda6fb0d4d5bb2add5a2a5d9abad\",\"parent\":\"1f2f6d963a5d18a7b9e2d1c0ac8d03e867ffecda1a25bf75dd34ce5866508cd5\",\"created\":\"0001-01-01T00:00:00Z\",\"container_config\":{\"Cmd\":[\"\"]},\"throwaway\":true}"},{"v1Compatibility":"{\"id\":\"1f2f6d963a5d18a7b9e2d1c0ac8d03e867ffecda1a25bf75dd34ce5866508cd5\",\"comment\":\"cc\",\"created\":\"2020-01-01T00:00:00.1+02:00\",\"container_config\":{\"Cmd\":[\"a \\u003cb\\u003e\"]},\"author\":\"me\"}"}],"schemaVersion":1}`;

  test("writes the bytes that the original writes", () => {
    const written = toSchema1({ config: bytesOf(config), layers, name });
    expect(new TextDecoder().decode(written.bytes)).toBe(manifest);
    expect(written.needsEmptyLayer).toBe(true);
  });

  test("finds IDs by what the layers were, and names what they are", () => {
    const stored = digestOf(bytesOf("stored"));
    const changed = [{ was: base, stored }, ...layers.slice(1)];
    const plain = withHistory({ created_by: "1" }, { created_by: "2" });
    const before = writtenOf({ config: plain, layers, name });
    const after = writtenOf({ config: plain, layers: changed, name });
    expect(after.fsLayers.at(-1)).toEqual({ blobSum: stored });
    expect(after.history).toEqual(before.history);
  });

  test("says which image it is, and that the newest step changed nothing", () => {
    const said = { name: "library/x", tag: "1" };
    const ending = withHistory({ created_by: "1" }, { created_by: "2" }, { empty_layer: true });
    const written = writtenOf({ config: ending, layers, name: said });
    expect(written).toMatchObject(said);
    expect(JSON.parse(written.history[0].v1Compatibility).throwaway).toBe(true);
    expect(written.fsLayers[0]).toEqual({ blobSum: emptyLayer.descriptor.digest });
  });

  test("asks for no empty layer where every step has a layer", () => {
    const config = withHistory({}, {});
    expect(toSchema1({ config, layers, name }).needsEmptyLayer).toBe(false);
  });

  test.each([
    [
      "no history",
      [],
      "Cannot convert an image with 0 history entries to application/vnd.docker.distribution.manifest.v1+prettyjws",
    ],
    [
      "more steps than layers",
      [{}, {}, {}],
      "Invalid image configuration, needs more than the 2 distributed layers",
    ],
    [
      "layers that no step accounts for",
      [{}, { empty_layer: true }],
      "Invalid image configuration, its history accounts for 1 of the 2 distributed layers",
    ],
  ])("refuses %s", (_, history, message) => {
    const config = withHistory(...history);
    expect(failureOf(() => toSchema1({ config, layers, name }))).toMatchObject({
      code: "unsupported",
      message,
    });
  });
});
