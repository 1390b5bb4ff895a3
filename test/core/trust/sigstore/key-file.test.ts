import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { makeKeyPair, openKey, sealKey } from "../../../../core/trust/sigstore/key-file.ts";
import { encodePem, parsePem } from "../../../../core/trust/sigstore/pem.ts";
import { publicPem } from "../../../support/sigstore.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a key file", () => {
  test.each(["secret words", ""])("opens with its passphrase %j, and no other", (passphrase) => {
    const { privateKey, publicKey } = makeKeyPair(passphrase);
    const key = openKey(bytes(privateKey), passphrase);
    expect(publicPem(createPublicKey(key))).toBe(publicKey);
    expect(() => openKey(bytes(privateKey), `${passphrase} `)).toThrow(
      "decrypt: encrypted: decryption failed",
    );
  });

  test("holds keys of other kinds, too", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const opened = openKey(bytes(sealKey(privateKey, "x")), "x");
    expect(opened.equals(privateKey)).toBe(true);
  });

  const sealed = sealKey(generateKeyPairSync("ed25519").privateKey, "x");
  const [block] = parsePem(sealed);
  const content = JSON.parse(new TextDecoder().decode(block?.bytes));
  const changed = (change: object) => {
    const text = JSON.stringify({ ...content, ...change });
    return encodePem({ label: "ENCRYPTED SIGSTORE PRIVATE KEY", bytes: bytes(text) });
  };
  const scrypt = (params: object) => ({
    kdf: { ...content.kdf, params: { ...content.kdf.params, ...params } },
  });

  test("goes by either name", () => {
    expect(sealed).toContain("BEGIN ENCRYPTED COSIGN PRIVATE KEY");
    openKey(bytes(changed({})), "x");
  });

  test.each([
    ["nothing", "", "invalid pem block"],
    ["half a block", "-----BEGIN A-----\n", "invalid pem block"],
    [
      "another kind of block",
      encodePem({ label: "PRIVATE KEY", bytes: bytes("x") }),
      "unsupported pem type: PRIVATE KEY",
    ],
    [
      "no JSON",
      encodePem({ label: "ENCRYPTED COSIGN PRIVATE KEY", bytes: bytes("x") }),
      "invalid character",
    ],
    [
      "another function",
      changed({ kdf: { ...content.kdf, name: "pbkdf2" } }),
      '"pbkdf2" where "scrypt" was expected',
    ],
    [
      "another cipher",
      changed({ cipher: { ...content.cipher, name: "aes" } }),
      '"aes" where "nacl/secretbox"',
    ],
    ["more memory than there is", changed(scrypt({ N: 2 ** 30 })), "parameters of scrypt"],
    ["more blocks", changed(scrypt({ r: 64 })), "parameters of scrypt"],
    ["a short nonce", changed({ cipher: { ...content.cipher, nonce: "YQ==" } }), "nonce"],
    [
      "no salt",
      changed({ kdf: { name: "scrypt", params: content.kdf.params } }),
      'Key "salt" missing',
    ],
    [
      "a changed text",
      changed({ ciphertext: "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh" }),
      "decryption failed",
    ],
    ["an empty text", changed({ ciphertext: "" }), "decryption failed"],
  ])("is refused with %s", (_, pem, why) => {
    expect(() => openKey(bytes(pem), "x")).toThrow(why);
  });
});
