import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";

import { isSealedBy, signedBytes } from "../../../../core/trust/sigstore/envelope.ts";
import { parsePublicKey } from "../../../../core/trust/sigstore/public-key.ts";
import { ecKeys } from "../../../support/authority.ts";
import { publicPem } from "../../../support/sigstore.ts";

const letter = {
  payload: Buffer.from("hello world"),
  payloadType: "http://example.com/HelloWorld",
};

test("signedBytes are those of the specification's own example", () => {
  expect(Buffer.from(signedBytes(letter)).toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

test.each([
  ["P-256", ecKeys(), "sha256"],
  ["P-384", ecKeys("P-384"), "sha256"],
  ["P-384, by its size", ecKeys("P-384"), "sha384"],
  ["P-521, by its size", ecKeys("P-521"), "sha512"],
  ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 }), "sha256"],
  ["Ed25519", generateKeyPairSync("ed25519"), null],
])("isSealedBy knows signatures of %s", (_, { privateKey, publicKey }, hash) => {
  const key = parsePublicKey(publicPem(publicKey));
  const signature = sign(hash, signedBytes(letter), privateKey);
  expect(isSealedBy(key, { ...letter, signature })).toBe(true);
  expect(isSealedBy(key, { ...letter, signature, payload: Buffer.from("hello") })).toBe(false);
  expect(isSealedBy(key, { ...letter, signature, payloadType: "other" })).toBe(false);
  expect(isSealedBy(parsePublicKey(publicPem(ecKeys().publicKey)), { ...letter, signature })).toBe(
    false,
  );
});

test("isSealedBy takes no other hash than the two that are used", () => {
  const { privateKey, publicKey } = ecKeys();
  const signature = sign("sha384", signedBytes(letter), privateKey);
  expect(isSealedBy(parsePublicKey(publicPem(publicKey)), { ...letter, signature })).toBe(false);
});
