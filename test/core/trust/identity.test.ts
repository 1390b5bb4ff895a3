import { describe, expect, test } from "bun:test";

import type { Json } from "../../../core/json.ts";
import { parseSignedIdentity } from "../../../core/trust/identity.ts";
import { failureOf } from "../../support/failure-of.ts";

const parse = (value: Json) => parseSignedIdentity({ value, at: "here" });
const remap = (prefix: string, signedPrefix = "example.com") =>
  parse({ type: "remapIdentity", prefix, signedPrefix });

const sha256 = `sha256:${"0a".repeat(32)}`;
const busybox = { host: "docker.io", repository: "library/busybox" };

describe("parseSignedIdentity", () => {
  test.each(["matchExact", "matchRepoDigestOrExact", "matchRepository"] as const)(
    "takes %s, with nothing else",
    (kind) => {
      expect(parse({ type: kind })).toEqual({ kind });
      expect(failureOf(() => parse({ type: kind, x: 1 }))).toMatchObject({
        message: 'Unknown key "x"',
      });
    },
  );

  test.each([
    ["busybox:1", { ...busybox, tag: "1" }],
    [`busybox@${sha256}`, { ...busybox, digest: sha256 }],
    [`busybox:1@${sha256}`, { ...busybox, tag: "1", digest: sha256 }],
  ])("takes the exactReference %s", (dockerReference, reference) => {
    expect(parse({ type: "exactReference", dockerReference })).toMatchObject({
      kind: "exactReference",
      reference,
    });
  });

  test.each(["busybox", "busybox:1"])("takes the exactRepository %s", (dockerRepository) => {
    expect(parse({ type: "exactRepository", dockerRepository })).toMatchObject({
      kind: "exactRepository",
      repository: busybox,
    });
  });

  test.each([
    "example.com",
    "example.com:5000",
    "example.com:5000/a",
    "docker.io/library/busybox",
    "localhost",
    "a",
    "foo/bar",
    "FOO/bar",
    "a/b/c_d",
  ])("takes the prefix %s", (prefix) => {
    expect(remap(prefix)).toEqual({ kind: "remapIdentity", prefix, signedPrefix: "example.com" });
    expect(remap("a", prefix)).toEqual({
      kind: "remapIdentity",
      prefix: "a",
      signedPrefix: prefix,
    });
  });

  test.each([
    "",
    "/",
    "example.com/",
    "example.com//a",
    "example.com:",
    "example.com/a:t",
    "example.com/A",
    `example.com/a@${sha256}`,
    "*.example.com",
    "foo_bar",
    "foo:x/a",
    "a..b",
    "-a",
  ])("refuses the prefix %j", (prefix) => {
    const expected = { code: "config", message: `prefix ${JSON.stringify(prefix)} is not valid` };
    expect(failureOf(() => remap(prefix))).toMatchObject(expected);
    expect(failureOf(() => remap("a", prefix))).toMatchObject(expected);
  });

  test.each<[Json, string]>([
    [null, "JSON object expected, got null"],
    [[], "JSON object expected, got an array"],
    [{}, 'Unknown policy reference match type ""'],
    [{ type: "x" }, 'Unknown policy reference match type "x"'],
    [{ type: "matchexact" }, 'Unknown policy reference match type "matchexact"'],
    [{ type: 1 }, "JSON string expected, got a number"],
    [{ type: "exactReference" }, 'Key "dockerReference" missing in a JSON object'],
    [
      { type: "exactReference", dockerReference: "busybox" },
      'dockerReference "busybox" contains neither a tag nor digest',
    ],
    [
      { type: "exactReference", dockerReference: "" },
      'Invalid format of dockerReference "": invalid reference format',
    ],
    [
      { type: "exactReference", dockerReference: "UPPER" },
      'Invalid format of dockerReference "UPPER": invalid reference format: repository name must be lowercase',
    ],
    [{ type: "exactReference", dockerReference: "busybox:1", x: 1 }, 'Unknown key "x"'],
    [{ type: "exactReference", dockerReference: 1 }, "JSON string expected, got a number"],
    [{ type: "exactRepository" }, 'Key "dockerRepository" missing in a JSON object'],
    [
      { type: "exactRepository", dockerRepository: "a b" },
      'Invalid format of dockerRepository "a b": invalid reference format',
    ],
    [{ type: "remapIdentity", signedPrefix: "a" }, 'Key "prefix" missing in a JSON object'],
    [{ type: "remapIdentity", prefix: "a" }, 'Key "signedPrefix" missing in a JSON object'],
  ])("G5: refuses %j", (value, message) => {
    expect(failureOf(() => parse(value))).toMatchObject({ code: "config", message });
  });
});
