import { describe, expect, test } from "bun:test";
import { parseDigest } from "../../../core/content/digest.ts";
import { metadataOf, signaturesOf } from "../../../transports/containers-storage/metadata.ts";
import { imageRecord } from "../../../transports/containers-storage/records.ts";
import { failureOf } from "../../support/failure-of.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const bytes = new TextEncoder().encode("abcde");

function record(metadata: object | string) {
  const text = typeof metadata === "string" ? metadata : JSON.stringify(metadata);
  return imageRecord({ id: "i", metadata: text });
}

function cut(metadata: object | string, content = bytes, instance?: typeof digest): string[] {
  const signatures = signaturesOf(record(metadata), content, instance);
  return signatures.map((each) => new TextDecoder().decode(each));
}

describe("signaturesOf", () => {
  test("cuts by the lengths of the image or of one in a list", () => {
    const metadata = { "signature-sizes": [2, 3], "signatures-sizes": { [digest]: [5] } };
    expect(cut(metadata)).toEqual(["ab", "cde"]);
    expect(cut(metadata, bytes, digest)).toEqual(["abcde"]);
  });

  test.each(["", "{}", '{"signatures-sizes":{}}', '{"signature-sizes":null}'])(
    "finds none where %j says so",
    (metadata) => {
      expect(cut(metadata, new Uint8Array())).toEqual([]);
    },
  );

  test.each([
    [
      { "signature-sizes": [6] },
      'looking up signatures data for image "i" (default instance): expected at least 6 bytes, only found 5',
    ],
    [{ "signature-sizes": [4] }, "signatures data (default instance) contained 1 extra bytes"],
    [{ "signature-sizes": [-1] }, "An image's record has a length of a signature that is none"],
    [{ "signature-sizes": Array(129).fill(0) }, "Image has 129 signatures, more than 128"],
  ])("refuses %j", (metadata, message) => {
    const failure = failureOf(() => cut(metadata));
    expect(failure).toMatchObject({ code: "corrupt", message });
  });
});

test("metadataOf says no more than engines do", () => {
  const other = parseDigest(`sha256:${"b".repeat(64)}`);
  expect(metadataOf(new Map(), digest)).toBe("{}");
  expect(metadataOf(new Map([[digest, []]]), digest)).toBe("{}");
  expect(metadataOf(new Map([[other, [1]]]), digest)).toBe(`{"signatures-sizes":{"${other}":[1]}}`);
  expect(metadataOf(new Map([[digest, [1, 2]]]), digest)).toBe(
    `{"signature-sizes":[1,2],"signatures-sizes":{"${digest}":[1,2]}}`,
  );
});
