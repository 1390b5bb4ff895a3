import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { encodePem } from "../../../../core/trust/sigstore/pem.ts";
import {
  isSignature,
  parsePublicKey,
  spelledKey,
} from "../../../../core/trust/sigstore/public-key.ts";
import { ecKeys } from "../../../support/authority.ts";
import { publicPem, rawSignature } from "../../../support/sigstore.ts";

const bytes = new TextEncoder().encode("some payload");
const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });

describe("isSignature", () => {
  test.each([
    ["ECDSA secp224r1", ecKeys("P-224")],
    ["ECDSA prime256v1", ecKeys("P-256")],
    ["ECDSA secp384r1", ecKeys("P-384")],
    ["ECDSA secp521r1", ecKeys("P-521")],
    ["RSA 2048", rsa(2048)],
    ["Ed25519", generateKeyPairSync("ed25519")],
  ])("knows those of %s, and no others", (spelling, { privateKey, publicKey }) => {
    const key = parsePublicKey(publicPem(publicKey));
    const signature = rawSignature(bytes, privateKey);
    expect(spelledKey(key)).toMatch(new RegExp(`^${spelling} sha256:[0-9a-f]{64}$`));
    expect(isSignature(key, bytes, signature)).toBe(true);
    expect(isSignature(key, bytes.with(0, 0), signature)).toBe(false);
    expect(isSignature(key, bytes, signature.subarray(1))).toBe(false);
    expect(isSignature(key, bytes, new Uint8Array())).toBe(false);
    expect(isSignature(key, bytes, rawSignature(bytes, ecKeys().privateKey))).toBe(false);
  });
});

describe("parsePublicKey", () => {
  const own = ecKeys();
  test("takes RSA keys of the older form", () => {
    const { publicKey } = rsa(2048);
    const pem = publicKey.export({ format: "pem", type: "pkcs1" }).toString();
    expect(parsePublicKey(pem).bytes).toEqual(parsePublicKey(publicPem(publicKey)).bytes);
  });

  test.each([
    ["text that is no PEM", "key", "PEM decoding failed"],
    ["two keys", publicPem(own.publicKey).repeat(2), "more than one PEM block"],
    [
      "a private key",
      own.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
      "unknown Public key PEM file type: PRIVATE KEY",
    ],
    [
      "something else in it",
      encodePem({ label: "PUBLIC KEY", bytes: new Uint8Array(20) }),
      "unusable public key",
    ],
    ["a weak RSA key", publicPem(rsa(1024).publicKey), "RSA key of 1024 bits is too weak"],
    [
      "a key that signs nothing",
      publicPem(generateKeyPairSync("x25519").publicKey),
      "unsupported public key type: x25519",
    ],
  ])("refuses %s", (_, pem, why) => {
    expect(() => parsePublicKey(pem)).toThrow(why);
  });
});
