import { describe, expect, test } from "bun:test";

import {
  encodeSignatureBlob,
  parseSignatureBlob,
  type SigstoreSignature,
} from "../../../core/content/signature-blob.ts";
import { failureOf } from "../../support/failure-of.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const sigstore: SigstoreSignature = {
  kind: "sigstore",
  mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
  payload: bytes('{"critical":{}}'),
  annotations: { z: "<1>", "dev.cosignproject.cosign/signature": "c2ln" },
};
const spelled =
  '\0sigstore-json\n{"mimeType":"application/vnd.dev.cosign.simplesigning.v1+json","payload":"eyJjcml0aWNhbCI6e319","annotations":{"dev.cosignproject.cosign/signature":"c2ln","z":"\\u003c1\\u003e"}}';

describe("encodeSignatureBlob", () => {
  test("writes what the original writes", () => {
    expect(new TextDecoder().decode(encodeSignatureBlob(sigstore))).toBe(spelled);
  });

  test("keeps OpenPGP messages as they are", () => {
    const message = new Uint8Array([0x90, 0x0d, 0x03]);
    expect(encodeSignatureBlob({ kind: "simple-signing", message })).toBe(message);
  });
});

describe("parseSignatureBlob", () => {
  test("reads back what was written", () => {
    expect(parseSignatureBlob(bytes(spelled))).toMatchObject({
      kind: "sigstore",
      mediaType: sigstore.mediaType,
      annotations: sigstore.annotations,
      payload: Buffer.from(sigstore.payload),
    });
  });

  test.each([
    0x88, 0x89, 0x8a, 0x8b, 0x90, 0x91, 0x92, 0x3d, 0xc4, 0xa0, 0xa1, 0xa2, 0xa3, 0xc8, 0xc2,
  ])("takes what begins with byte %p for an OpenPGP message", (first) => {
    const message = new Uint8Array([first, 1, 2]);
    expect(parseSignatureBlob(message)).toEqual({ kind: "simple-signing", message });
  });

  test("reads simple signing that says its format", () => {
    expect(parseSignatureBlob(bytes("\0simple-signing\nabc"))).toEqual({
      kind: "simple-signing",
      message: bytes("abc"),
    });
  });

  test("reads what has no payload or annotations", () => {
    expect(parseSignatureBlob(bytes('\0sigstore-json\n{"mimeType":"x/y"}'))).toMatchObject({
      mediaType: "x/y",
      annotations: {},
    });
  });

  test.each([
    ["nothing", "", "empty signature blob"],
    ["JSON", "{}", "unrecognized signature format, starting with binary 0x7b"],
    ["armor", "-----BEGIN", "unrecognized signature format, starting with binary 0x2d"],
    ["no newline", "\0sigstore-json", "invalid signature format, missing newline"],
    ["another format", "\0hope\n{}", 'unrecognized signature format "hope"'],
    ["an array", "\0sigstore-json\n[]", "a sigstore signature is no JSON object"],
    ["half of an object", '\0sigstore-json\n{"mimeType":', "unexpected end of JSON input"],
    [
      "a payload that is no base64",
      '\0sigstore-json\n{"payload":"a*b="}',
      "the payload of a sigstore signature is no base64",
    ],
    [
      "annotations of another kind",
      '\0sigstore-json\n{"annotations":{"a":1}}',
      "annotations of a sigstore signature has something that is no text",
    ],
    [
      "a list of annotations",
      '\0sigstore-json\n{"annotations":[]}',
      "annotations of a sigstore signature are no object",
    ],
  ])("refuses %s", async (_, text, message) => {
    expect(failureOf(() => parseSignatureBlob(bytes(text)))).toMatchObject({
      code: "corrupt",
      message,
    });
  });
});
