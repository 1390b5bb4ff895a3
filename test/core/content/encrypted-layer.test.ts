import { expect, test } from "bun:test";

import {
  decryptedType,
  encryptedType,
  isEncryptedType,
  withoutEncryption,
} from "../../../core/content/encrypted-layer.ts";

test("types are encrypted and decrypted", () => {
  const plain = "application/vnd.oci.image.layer.v1.tar+gzip";
  expect(encryptedType(plain)).toBe(`${plain}+encrypted`);
  expect(decryptedType(encryptedType(plain))).toBe(plain);
  expect(decryptedType(plain)).toBe(plain);
  expect([isEncryptedType(plain), isEncryptedType(encryptedType(plain))]).toEqual([false, true]);
});

test("withoutEncryption keeps what says nothing of it", () => {
  const annotations = {
    "org.opencontainers.image.enc.pubopts": "a",
    "org.opencontainers.image.enc.keys.jwe": "b",
    "org.opencontainers.image.title": "c",
  };
  expect(withoutEncryption(annotations)).toEqual({ "org.opencontainers.image.title": "c" });
});
