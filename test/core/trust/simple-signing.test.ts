import { describe, expect, test } from "bun:test";

import { digestOf } from "../../../core/content/digest.ts";
import { encodeSimpleSigning, parseSimpleSigning } from "../../../core/trust/simple-signing.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = digestOf(new Uint8Array());
const payload = {
  digest,
  reference: "docker.io/library/busybox:latest",
  creator: "dray 1",
  timestamp: 1_700_000_000,
};
const text = `{"critical":{"identity":{"docker-reference":"docker.io/library/busybox:latest"},"image":{"docker-manifest-digest":"${digest}"},"type":"atomic container signature"},"optional":{"creator":"dray 1","timestamp":1700000000}}`;
const parse = (document: string) => parseSimpleSigning(new TextEncoder().encode(document));

describe("encodeSimpleSigning", () => {
  test("writes what the original writes", () => {
    expect(new TextDecoder().decode(encodeSimpleSigning(payload))).toBe(text);
  });

  test("signs no nameless image", () => {
    expect(failureOf(() => encodeSimpleSigning({ ...payload, reference: "" }))).toMatchObject({
      message: "Unexpected empty signature content",
    });
  });
});

describe("parseSimpleSigning", () => {
  test("reads back what was written", () => {
    expect(parse(text)).toEqual(payload);
  });

  test.each<[string, string]>([
    ["anything else in optional", text.replace('"creator"', '"x":[1,{"y":null}],"creator"')],
    ["nothing in optional", text.replace(/"optional":\{.*\}\}$/, '"optional":{}}')],
    [
      "blanks",
      text
        .replaceAll(":", " :\n ")
        .replaceAll("sha256 :\n ", "sha256:")
        .replace("busybox :\n ", "busybox:"),
    ],
  ])("takes %s", (_, document) => {
    expect(parse(document)).toMatchObject({ digest, reference: payload.reference });
  });

  test.each<[string, string, string | RegExp]>([
    [
      "a repeated member",
      text.replace('{"critical"', '{"critical":{},"critical"'),
      'Duplicate key "critical"',
    ],
    [
      "a repeated member in disguise",
      text.replace('{"critical"', '{"cr\\u0069tical":{},"critical"'),
      'Duplicate key "critical"',
    ],
    [
      "a repeated digest",
      text.replace(
        '"docker-manifest-digest"',
        '"docker-manifest-digest":"","docker-manifest-digest"',
      ),
      'Duplicate key "docker-manifest-digest"',
    ],
    ["an extra member", text.replace('{"critical"', '{"x":1,"critical"'), 'Unknown key "x"'],
    ["an extra member in critical", text.replace('"type"', '"x":1,"type"'), 'Unknown key "x"'],
    [
      "an extra member in image",
      text.replace('"docker-manifest-digest"', '"x":1,"docker-manifest-digest"'),
      'Unknown key "x"',
    ],
    [
      "an extra member in identity",
      text.replace('"docker-reference"', '"x":1,"docker-reference"'),
      'Unknown key "x"',
    ],
    ["another letter case", text.replace('"critical"', '"Critical"'), 'Unknown key "Critical"'],
    ["critical in critical", `{"critical":${text},"optional":{}}`, 'Unknown key "critical"'],
    [
      "critical as text",
      text.replace(/"critical":\{.*\},"optional"/, '"critical":"x","optional"'),
      "JSON object expected, got a string",
    ],
    ["no critical", '{"optional":{}}', 'Key "critical" missing in a JSON object'],
    ["no optional", text.replace(/,"optional".*$/, "}"), 'Key "optional" missing in a JSON object'],
    [
      "no type",
      text.replace(',"type":"atomic container signature"', ""),
      'Key "type" missing in a JSON object',
    ],
    [
      "optional that is null",
      text.replace(/"optional":\{.*\}\}$/, '"optional":null}'),
      "JSON object expected, got null",
    ],
    [
      "another type",
      text.replace("atomic", "cosign"),
      "Unrecognized signature type cosign container signature",
    ],
    [
      "a digest that is none",
      text.replace("sha256:", "sha1:"),
      /^invalid docker-manifest-digest value "sha1:[0-9a-f]{64}": unsupported digest algorithm$/,
    ],
    ["an empty digest", text.replace(digest, ""), /^invalid docker-manifest-digest value "": /],
    [
      "a name that is none",
      text.replace('"docker.io/library/busybox:latest"', "1"),
      "JSON string expected, got a number",
    ],
    [
      "a creator that is no text",
      text.replace('"dray 1"', "1"),
      "JSON string expected, got a number",
    ],
    [
      "half a second",
      text.replace("1700000000", "1.5"),
      "Field optional.timestamp is not an integer",
    ],
    [
      "a time in words",
      text.replace("1700000000", '"now"'),
      "Field optional.timestamp is not an integer",
    ],
    [
      "a time beyond numbers",
      text.replace("1700000000", "1e300"),
      "Field optional.timestamp is not an integer",
    ],
    ["something behind it", `${text} {}`, "Unexpected data after JSON object"],
    ["a list", "[]", "JSON object expected, got an array"],
    ["nothing", "", "unexpected end of JSON input"],
  ])("G6: refuses %s", (_, document, message) => {
    const expected = typeof message === "string" ? message : expect.stringMatching(message);
    expect(failureOf(() => parse(document))).toMatchObject({ code: "corrupt", message: expected });
  });
});
