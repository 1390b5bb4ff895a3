// Key file: a private key behind a passphrase, as cosign keeps it.

import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";

import { asFailure, Failure } from "../../failure.ts";
import { encodeJsonBytes } from "../../json.ts";
import {
  bytesOf,
  entriesOf,
  needed,
  parseDocument,
  type Placed,
  quoted,
  textOf,
} from "../strict-json.ts";
import { encodePem, parsePem } from "./pem.ts";

const label = "ENCRYPTED SIGSTORE PRIVATE KEY";
const olderLabel = "ENCRYPTED COSIGN PRIVATE KEY";

/** What is asked of the function that turns a passphrase into a key. More would exhaust memory. */
const costs: readonly number[] = [2 ** 15, 2 ** 16, 2 ** 17];
const cost = 2 ** 16;
const memoryBytes = 256 * 1024 * 1024;

/** A new pair of keys, as the files hold them. */
export interface KeyPairFiles {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Makes a pair of keys on P-256. */
export function makeKeyPair(passphrase: string): KeyPairFiles {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey: sealKey(privateKey, passphrase),
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
  };
}

/** Writes a private key behind a passphrase, which may be empty. */
export function sealKey(key: KeyObject, passphrase: string): string {
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const plain = key.export({ format: "der", type: "pkcs8" });
  const sealed = xsalsa20poly1305(derive(passphrase, salt, cost), nonce).encrypt(plain);
  const bytes = encodeJsonBytes({
    kdf: {
      name: "scrypt",
      params: { N: cost, r: 8, p: 1 },
      salt: salt.toString("base64"),
    },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(sealed).toString("base64"),
  });
  return encodePem({ label: olderLabel, bytes });
}

/**
 * Opens a private key file. Fails with `config`, in the original's words, if it is none, or if the
 * passphrase is not the one.
 */
export function openKey(pem: Uint8Array, passphrase: string): KeyObject {
  const [block] = blocksOf(pem);
  if (block === undefined) throw unusable("invalid pem block");
  if (block.label !== label && block.label !== olderLabel) {
    throw unusable(`unsupported pem type: ${block.label}`);
  }
  const plain = decrypt(parseDocument(block.bytes), passphrase);
  try {
    return createPrivateKey({ key: Buffer.from(plain), format: "der", type: "pkcs8" });
  } catch (error) {
    throw unusable(`the key in it cannot be used: ${asFailure(error).message}`);
  }
}

function blocksOf(pem: Uint8Array): ReturnType<typeof parsePem> {
  try {
    return parsePem(pem);
  } catch (error) {
    throw unusable(`invalid pem block: ${asFailure(error).message}`);
  }
}

function decrypt(document: Placed, passphrase: string): Uint8Array {
  const kdf = memberOf(document, "kdf");
  const params = memberOf(kdf, "params");
  const cipher = memberOf(document, "cipher");
  expect(memberOf(kdf, "name"), "scrypt");
  expect(memberOf(cipher, "name"), "nacl/secretbox");
  const [n, r, p] = ["N", "r", "p"].map((name) => memberOf(params, name).value);
  if (typeof n !== "number" || !costs.includes(n) || r !== 8 || p !== 1) {
    throw unusable("its parameters of scrypt are none that anybody uses");
  }
  const salt = bytesOf(memberOf(kdf, "salt"));
  const nonce = bytesOf(memberOf(cipher, "nonce"));
  const ciphertext = bytesOf(memberOf(document, "ciphertext"));
  if (nonce.length !== 24) throw unusable("its nonce is of another length than 24 bytes");
  try {
    return xsalsa20poly1305(derive(passphrase, salt, n), nonce).decrypt(ciphertext);
  } catch (error) {
    throw new Failure("config", "decrypt: encrypted: decryption failed", {
      hint: "is that the passphrase of this key?",
      cause: error,
    });
  }
}

function derive(passphrase: string, salt: Uint8Array, n: number): Uint8Array {
  return scryptSync(passphrase, salt, 32, { N: n, r: 8, p: 1, maxmem: memoryBytes });
}

function memberOf(object: Placed, name: string): Placed {
  return needed(object, entriesOf(object), name);
}

function expect(placed: Placed, wanted: string): void {
  const found = textOf(placed);
  if (found !== wanted) throw unusable(`${quoted(found)} where ${quoted(wanted)} was expected`);
}

function unusable(why: string): Failure {
  return new Failure("config", why);
}
