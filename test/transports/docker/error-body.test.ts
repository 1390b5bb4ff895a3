import { describe, expect, test } from "bun:test";
import { missingIn, parseErrors, textOf } from "../../../transports/docker/error-body.ts";

const errors = (...list: readonly unknown[]) => JSON.stringify({ errors: list });
const textFor = (status: number, body: string) => {
  const [first] = parseErrors(status, body) ?? [];
  return first && textOf(first);
};

// As measured with the original.
describe("textOf", () => {
  test.each([
    [
      404,
      errors({ code: "MANIFEST_UNKNOWN", message: "manifest unknown", detail: {} }),
      "manifest unknown",
    ],
    [
      404,
      errors({ code: "MANIFEST_UNKNOWN", message: "OCI index" }),
      "manifest unknown: OCI index",
    ],
    [
      401,
      errors({ code: "UNAUTHORIZED", message: "authentication required", detail: [1] }),
      "authentication required",
    ],
    [401, errors({ code: "UNAUTHORIZED", message: "authentication required" }), "unauthorized"],
    [
      401,
      errors({ code: "UNAUTHORIZED", message: "authentication required", detail: null }),
      "unauthorized",
    ],
    [401, errors({ code: "UNAUTHORIZED", message: "bad pw" }), "unauthorized: bad pw"],
    [403, errors({ code: "DENIED", message: "not allowed", detail: {} }), "denied: not allowed"],
    [403, errors({ code: "DENIED", message: "" }), "denied"],
    [404, errors({ code: "MY_CODE", message: "some text" }), "unknown: some text"],
    [404, errors({ code: "MY_CODE" }), "unknown"],
    [404, errors({ message: "just message" }), "unknown: just message"],
    [400, errors({ code: "TOOMANYREQUESTS", message: "slow down" }), "toomanyrequests: slow down"],
    [
      404,
      errors({ code: "NAME_UNKNOWN", message: "first" }, { code: "DENIED" }),
      "name unknown: first",
    ],
    [
      405,
      errors({ code: "UNSUPPORTED", message: "The operation is unsupported.", detail: 1 }),
      "The operation is unsupported.",
    ],
    [404, '{"details":"detailed text"}', "unknown: detailed text"],
    [401, '{"details":"detailed text"}', "unauthorized: detailed text"],
    [429, '{"details":"detailed text"}', "toomanyrequests: detailed text"],
    [404, errors({ code: "toString", message: "x" }), "unknown: x"],
    [404, errors({ code: 7, message: {} }), "unknown"],
  ])("words %d %s", (status, body, expected) => {
    expect(textFor(status, body)).toBe(expected);
  });
});

describe("parseErrors", () => {
  test.each([
    "",
    "nope",
    "null",
    "[]",
    "{}",
    errors(),
    errors("text"),
    '{"errors":{}}',
    "[".repeat(1e6),
  ])("takes %.20s for none that registries agreed on", (body) => {
    expect(parseErrors(404, body)).toBeUndefined();
  });
});

describe("missingIn", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  test.each([
    ["BLOB_UNKNOWN", { digest }, [digest]],
    ["MANIFEST_BLOB_UNKNOWN", { Digest: digest }, [digest]],
    ["MANIFEST_BLOB_UNKNOWN", digest, [digest]],
    ["BLOB_UNKNOWN", [{ digest }, { digest }], [digest, digest]],
    ["BLOB_UNKNOWN", { digest: "sha256:../../x" }, []],
    ["BLOB_UNKNOWN", undefined, []],
    ["MANIFEST_UNKNOWN", { digest }, []],
  ])("C1: finds the digests of %s %p", (code, detail, expected) => {
    const [error] = parseErrors(404, errors({ code, detail })) ?? [];
    const missing: readonly string[] = error === undefined ? [] : missingIn(error);
    expect(missing).toEqual(expected);
  });
});
