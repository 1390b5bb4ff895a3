import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { manifestTypes } from "../../../core/content/media-types.ts";
import { parseStrictJson } from "../../../core/json.ts";
import { ociConfig } from "../../../core/manifest/config.ts";
import { manifestDigest } from "../../../core/manifest/manifest.ts";
import { Members } from "../../../core/manifest/members.ts";
import {
  payloadOfSchema1,
  readSchema1,
  schema1Of,
  writeSchema1,
} from "../../../core/manifest/schema1.ts";
import { failureOf } from "../../support/failure-of.ts";
import {
  imageFrom,
  type Sample,
  schema1Sample,
  schema1Step,
  someDigest,
} from "../../support/sample-manifests.ts";

function read(sample: Sample) {
  return readSchema1(new Members(parseStrictJson(JSON.stringify(sample))));
}

function layersOf(count: number): Sample[] {
  return Array.from({ length: count }, (_, index) => ({ blobSum: someDigest(`layer ${index}`) }));
}

describe("readSchema1", () => {
  test("reads everything base layer first", () => {
    expect(read(schema1Sample())).toMatchObject({
      name: "some/name",
      tag: "latest",
      layers: [
        { mediaType: "", digest: someDigest("older") },
        { mediaType: "", digest: someDigest("newer") },
      ],
      history: [
        { id: "a".repeat(64), parent: "", throwaway: true, comment: "cc" },
        { id: "b".repeat(64), parent: "a".repeat(64), throwaway: false, command: ["a", "b"] },
      ],
    });
  });

  test("makes the config of what the newest layer says", () => {
    expect(JSON.stringify(ociConfig(read(schema1Sample()).config), mapsToo)).toBe(
      JSON.stringify({
        created: "2020-01-02T03:04:05.5Z",
        author: "me",
        architecture: "arm",
        os: "linux",
        config: { Env: ["A=b"], Labels: { x: "y" } },
        rootfs: { type: "layers", diff_ids: [""] },
        history: [
          { created: "0001-01-01T00:00:00Z", comment: "cc", empty_layer: true },
          { created: "2020-01-02T03:04:05.5Z", created_by: "a b", author: "me" },
        ],
      }),
    );
  });

  test("carries what nobody could show: the config is read when it is asked for", () => {
    const history = [schema1Step("a", undefined, { config: { Cmd: "one text" } })];
    const manifest = read(schema1Sample({ fsLayers: layersOf(1), history }));
    expect(failureOf(() => manifest.config)).toMatchObject({ code: "corrupt" });
  });

  test("drops the newer of two equal steps", () => {
    const history = [
      schema1Step("b", "a", { comment: "newest" }),
      schema1Step("b", "a", { comment: "older" }),
      schema1Step("a", undefined),
    ];
    const { layers, history: steps } = read(schema1Sample({ fsLayers: layersOf(3), history }));
    expect(layers.map(({ digest }) => digest)).toEqual([
      someDigest("layer 2"),
      someDigest("layer 1"),
    ]);
    expect(steps.map(({ comment }) => comment)).toEqual(["", "older"]);
  });

  const a = "a".repeat(64);
  const c = "c".repeat(64);

  test.each<[string, Sample, string]>([
    ["another version", { schemaVersion: 2 }, "unsupported schema version 2"],
    ["no version", { schemaVersion: null }, "unsupported schema version 0"],
    ["no layers", { fsLayers: [], history: [] }, "no FSLayers in manifest"],
    [
      "fewer layers than steps",
      { fsLayers: layersOf(1) },
      "length of history not equal to number of layers",
    ],
    [
      "an id that is none",
      { history: [{ v1Compatibility: '{"id":"x"}' }, schema1Step("a", undefined)] },
      'image ID "x" is invalid',
    ],
    [
      "a base with a parent",
      { history: [schema1Step("b", "a"), schema1Step("a", "c")] },
      "Invalid parent ID in the base layer of the image",
    ],
    [
      "a chain that breaks",
      { history: [schema1Step("b", "c"), schema1Step("a", undefined)] },
      `Invalid parent ID. Expected ${a}, got "${c}"`,
    ],
    [
      "a circle",
      {
        fsLayers: layersOf(3),
        history: [schema1Step("a", "b"), schema1Step("b", "a"), schema1Step("a", undefined)],
      },
      `ID ${a} appears multiple times in manifest`,
    ],
    [
      "a step that is no JSON",
      { history: [{ v1Compatibility: "zz" }, schema1Step("a", undefined)] },
      "parsing v2s1 history entry 0: invalid character 'z' looking for beginning of value",
    ],
    [
      "a step of wrong types",
      { history: [{ v1Compatibility: '{"throwaway":1}' }, schema1Step("a", undefined)] },
      "parsing v2s1 history entry 0: Invalid step: throwaway is not of type boolean",
    ],
  ])("refuses %s", (_, changes, message) => {
    expect(failureOf(() => read(schema1Sample(changes)))).toMatchObject({
      code: "corrupt",
      message,
    });
  });
});

describe("schema1Of", () => {
  test("is what the image was parsed from", () => {
    const image = imageFrom(manifestTypes.schema1, schema1Sample());
    expect(schema1Of(image)).toEqual(read(schema1Sample()));
  });
});

const unsigned = JSON.stringify(schema1Sample(), null, 3);

interface Signing {
  readonly length?: number;
  readonly tail?: string;
}

/** Returns the `protected` part of a signature over `text`. */
function protectedPart(text: string, { length, tail }: Signing = {}): string {
  const formatLength = length ?? text.length - 2;
  const formatTail = Buffer.from(tail ?? text.slice(formatLength)).toString("base64url");
  return Buffer.from(JSON.stringify({ formatLength, formatTail })).toString("base64url");
}

/** Returns `text` with signatures that have these protected parts, as registries formatted it. */
function signed(text: string, ...parts: readonly (string | undefined)[]): Uint8Array {
  const signatures = parts.map((part) => ({ header: {}, signature: "eA", protected: part }));
  const member = `,\n   "signatures": ${JSON.stringify(signatures)}`;
  return new TextEncoder().encode(text.slice(0, -2) + member + text.slice(-2));
}

describe("payloadOfSchema1", () => {
  test("is the manifest as it was before it was signed, which its digest is computed from", () => {
    const once = signed(unsigned, protectedPart(unsigned));
    const twice = signed(unsigned, protectedPart(unsigned), protectedPart(unsigned));
    for (const bytes of [once, twice]) {
      expect(new TextDecoder().decode(payloadOfSchema1(bytes))).toBe(unsigned);
      expect(manifestDigest(bytes)).toBe(digestOf(new TextEncoder().encode(unsigned)));
    }
  });

  const other = JSON.stringify(schema1Sample({ name: "other/name" }), null, 3);

  test.each<[string, Uint8Array, string]>([
    ["an empty list of signatures", signed(unsigned), "manifest has an empty list of signatures"],
    ["a signature over nothing", signed(unsigned, undefined), "unexpected end of JSON input"],
    [
      "a protected part that is no base64",
      signed(unsigned, "!!"),
      "base64 decode error in a signature",
    ],
    ["a length that is missing", signed(unsigned, "e30"), "missing formatted length"],
    [
      "a negative length",
      signed(unsigned, protectedPart(unsigned, { length: -1 })),
      "missing formatted length",
    ],
    [
      "lengths that disagree",
      signed(unsigned, protectedPart(unsigned), protectedPart(unsigned, { length: 9 })),
      "conflicting format length",
    ],
    [
      "tails that disagree",
      signed(unsigned, protectedPart(unsigned), protectedPart(unsigned, { tail: "\n }" })),
      "conflicting format tail",
    ],
    [
      "a payload that hides the manifest of another image in its tail (C3)",
      signed(unsigned, protectedPart(other, { length: 1 })),
      "what was signed is not the manifest without its signatures",
    ],
    [
      "a payload that leaves out a member (C3)",
      signed(
        unsigned.replace('"name"', '"added": 1, "name"'),
        protectedPart(unsigned, { length: 1 }),
      ),
      "what was signed is not the manifest without its signatures",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(failureOf(() => payloadOfSchema1(bytes))).toMatchObject({ code: "corrupt", message });
    expect(failureOf(() => manifestDigest(bytes))).toMatchObject({ code: "corrupt" });
  });
});

function mapsToo(_: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

describe("writeSchema1", () => {
  test("writes what was read, on one line and in the order of the original", () => {
    const sample = schema1Sample();
    const { name, tag, architecture, layers, history } = read(sample);
    const steps = layers.map(({ digest }, index) => ({
      blob: digest,
      text: history[index]?.text ?? "",
    }));
    const bytes = writeSchema1({ name, tag, architecture, steps });
    const { schemaVersion, ...others } = sample;
    expect(new TextDecoder().decode(bytes)).toBe(JSON.stringify({ ...others, schemaVersion }));
  });
});
