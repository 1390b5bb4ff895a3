import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";

import { parseOwnKey, parseRecipientKey } from "../../../core/blob/layer-key.ts";
import { layerKeyPair, privatePem, publicPem } from "../../support/layer-keys.ts";

const rsa = layerKeyPair(2048);
const curve = layerKeyPair("P-384");
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe("parseRecipientKey", () => {
  test.each([
    ["PEM of RSA", publicPem(rsa), "RSA-OAEP"],
    ["PEM of a curve", publicPem(curve), "ECDH-ES+A256KW"],
    ["DER", rsa.public.export({ type: "spki", format: "der" }), "RSA-OAEP"],
    ["DER of RSA alone", rsa.public.export({ type: "pkcs1", format: "der" }), "RSA-OAEP"],
    ["a JSON Web Key", text(curve.public.export({ format: "jwk" })), "ECDH-ES+A256KW"],
    [
      "a JSON Web Key that says how",
      text({ ...rsa.public.export({ format: "jwk" }), alg: "RSA-OAEP-256" }),
      "RSA-OAEP-256",
    ],
    [
      "a JSON Web Key that wants what is not for its kind",
      text({ ...rsa.public.export({ format: "jwk" }), alg: "ECDH-ES+A128KW" }),
      "RSA-OAEP",
    ],
  ])("reads %s", (_, bytes, algorithm) => {
    expect(parseRecipientKey(new Uint8Array(bytes)).algorithm).toBe(algorithm);
  });

  test.each([
    ["nothing", new Uint8Array(), "File provided is not a public key"],
    ["a private key", privatePem(rsa), "File provided is not a public key"],
    [
      "a private JSON Web Key",
      text(rsa.private.export({ format: "jwk" })),
      "File provided is not a public key",
    ],
    ["a short RSA key", publicPem(layerKeyPair(1024)), "An RSA key of 1024 bits is too weak"],
    [
      "a key that only signs",
      new TextEncoder().encode(
        generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString(),
      ),
      "Keys of type ed25519 cannot encrypt layers",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseRecipientKey(bytes)).toThrow(message);
  });
});

describe("parseOwnKey", () => {
  test.each([
    ["PEM", privatePem(curve), undefined],
    ["PEM with a password", privatePem(rsa, "secret"), "secret"],
    ["DER of RSA alone", rsa.private.export({ type: "pkcs1", format: "der" }), undefined],
    ["DER of a curve alone", curve.private.export({ type: "sec1", format: "der" }), undefined],
    ["a JSON Web Key", text(curve.private.export({ format: "jwk" })), undefined],
  ])("reads %s", (_, bytes, password) => {
    expect(parseOwnKey(new Uint8Array(bytes), password).key.type).toBe("private");
  });

  test.each([
    ["a public key", publicPem(rsa), undefined, "File provided is not a private key"],
    ["no password", privatePem(rsa, "secret"), undefined, "and no password was given"],
    ["a wrong password", privatePem(rsa, "secret"), "other", "cannot be decrypted with this"],
  ])("refuses %s", (_, bytes, password, message) => {
    expect(() => parseOwnKey(bytes, password)).toThrow(message);
  });
});
