import { describe, expect, test } from "bun:test";

import type { Json } from "../../../core/json.ts";
import { isAcceptedName, parseSignedIdentity } from "../../../core/trust/identity.ts";
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

describe("isAcceptedName", () => {
  const digest = `sha256:${"0a".repeat(32)}`;
  const other = `sha256:${"0b".repeat(32)}`;
  const exact = { type: "matchExact" };
  const usual = { type: "matchRepoDigestOrExact" };
  const repository = { type: "matchRepository" };
  const reference = { type: "exactReference", dockerReference: "r.example.com/a:1" };
  const stranger = { type: "exactRepository", dockerRepository: "r.example.com/a" };
  const remapped = {
    type: "remapIdentity",
    prefix: "m.example.com",
    signedPrefix: "r.example.com/x",
  };
  const whole = {
    type: "remapIdentity",
    prefix: "m.example.com/a",
    signedPrefix: "r.example.com/b",
  };

  test.each<[Json, string | undefined, string, boolean]>([
    [exact, "docker.io/library/busybox:1", "busybox:1", true],
    [exact, "docker.io/library/busybox:1", "index.docker.io/library/busybox:1", true],
    [exact, "docker.io/library/busybox:1", "docker.io/library/busybox:2", false],
    [exact, "docker.io/library/busybox:1", "busybox", false],
    [exact, "docker.io/library/busybox", "busybox", false],
    [exact, `docker.io/library/busybox@${digest}`, `busybox@${digest}`, true],
    [exact, `docker.io/library/busybox@${digest}`, "busybox:1", false],
    [exact, undefined, "busybox:1", false],
    [usual, "r.example.com/a:1", "r.example.com/a:1", true],
    [usual, "r.example.com/a:1", "r.example.com/a:2", false],
    [usual, "r.example.com/a:1", "r.example.com/a", false],
    [usual, "r.example.com/a:1", `r.example.com/a@${digest}`, false],
    [usual, `r.example.com/a@${digest}`, "r.example.com/a:2", true],
    [usual, `r.example.com/a@${digest}`, `r.example.com/a@${other}`, true],
    [usual, `r.example.com/a@${digest}`, "r.example.com/a", false],
    [usual, `r.example.com/a@${digest}`, "r.example.com/b:1", false],
    [usual, undefined, "r.example.com/a:1", false],
    [repository, "r.example.com/a:1", "r.example.com/a", true],
    [repository, "r.example.com/a:1", "r.example.com/a:2", true],
    [repository, "r.example.com/a:1", "r.example.com:443/a:1", false],
    [repository, undefined, "r.example.com/a", false],
    [reference, undefined, "r.example.com/a:1", true],
    [reference, "r.example.com/b:1", "r.example.com/a:1", true],
    [reference, "r.example.com/a:1", "r.example.com/a:2", false],
    [reference, "r.example.com/a:1", "r.example.com/a", false],
    [stranger, undefined, "r.example.com/a:7", true],
    [stranger, undefined, "r.example.com/a", true],
    [stranger, undefined, "r.example.com/ab", false],
    [remapped, "m.example.com/a:1", "r.example.com/x/a:1", true],
    [remapped, "m.example.com/a:1", "m.example.com/a:1", false],
    [remapped, "m.example.com:443/a:1", "m.example.com:443/a:1", true],
    [remapped, "m.example.com.evil.test/a:1", "r.example.com/x.evil.test/a:1", false],
    [remapped, `m.example.com/a@${digest}`, "r.example.com/x/a:9", true],
    [remapped, "other.example.com/a:1", "other.example.com/a:1", true],
    [remapped, undefined, "r.example.com/x/a:1", false],
    [whole, "m.example.com/a:1", "r.example.com/b:1", true],
    [whole, "m.example.com/a/c:1", "r.example.com/b/c:1", true],
    [whole, "m.example.com/ab:1", "m.example.com/ab:1", true],
    [whole, "m.example.com/ab:1", "r.example.com/bb:1", false],
    [repository, "r.example.com/a:1", "", false],
    [repository, "r.example.com/a:1", "R.example.com/A:1", false],
    [repository, "r.example.com/a:1", "r.example.com/a:1\n", false],
  ])("%j for %s: %s is %s", (identity, docker, claimed, accepted) => {
    expect(isAcceptedName(parse(identity), docker === undefined ? {} : { docker }, claimed)).toBe(
      accepted,
    );
  });
});
