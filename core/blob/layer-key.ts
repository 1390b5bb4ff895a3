// Layer keys: the files in which people keep the keys to encrypted layers.

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

import { Failure } from "../failure.ts";

/** A key, and how it wraps others. */
export interface LayerKey {
  readonly key: KeyObject;
  /** By its name in JWE, such as `RSA-OAEP`. */
  readonly algorithm: string;
}

/** What a JSON Web Key may say that it is for. */
const webKeyAlgorithms: readonly string[] = [
  "RSA-OAEP",
  "RSA-OAEP-256",
  "ECDH-ES+A128KW",
  "ECDH-ES+A192KW",
  "ECDH-ES+A256KW",
];

/**
 * Reads a public key or a certificate, as PEM, DER or a JSON Web Key. Fails with `usage`; RSA keys below
 * 2048 bits are refused.
 */
export function parseRecipientKey(bytes: Uint8Array): LayerKey {
  const found = firstOf([
    () => publicWebKey(bytes),
    () => createPublicKey(pemOf(bytes)),
    () => new X509Certificate(Buffer.from(bytes)).publicKey,
    () => createPublicKey({ key: Buffer.from(bytes), format: "der", type: "spki" }),
    () => createPublicKey({ key: Buffer.from(bytes), format: "der", type: "pkcs1" }),
  ]);
  // A private key would do for the mathematics, but nobody means to hand it around.
  if (found === undefined || isPrivate(bytes)) {
    throw new Failure("usage", "File provided is not a public key");
  }
  return layerKey(found, bytes);
}

/**
 * Reads a private key, as PEM, DER or a JSON Web Key. Fails with `usage`, and says whether a password is
 * wrong or missing.
 */
export function parseOwnKey(bytes: Uint8Array, password?: string): LayerKey {
  const passphrase = password === undefined ? {} : { passphrase: password };
  const found = firstOf([
    () => createPrivateKey({ key: webKeyOf(bytes), format: "jwk" }),
    () => createPrivateKey({ key: pemOf(bytes), ...passphrase }),
    ...(["pkcs8", "pkcs1", "sec1"] as const).map(
      (type) => () =>
        createPrivateKey({ key: Buffer.from(bytes), format: "der", type, ...passphrase }),
    ),
  ]);
  if (found !== undefined) return layerKey(found, bytes);
  if (!/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(latin(bytes))) {
    throw new Failure("usage", "File provided is not a private key");
  }
  throw new Failure(
    "usage",
    password === undefined
      ? "The private key is encrypted, and no password was given"
      : "The private key cannot be decrypted with this password",
    { hint: "write KEYFILE:pass=PASSWORD, KEYFILE:file=PASSWORDFILE or KEYFILE:fd=NUMBER" },
  );
}

function layerKey(key: KeyObject, bytes: Uint8Array): LayerKey {
  const said = webKeyAlgorithm(bytes);
  switch (key.asymmetricKeyType) {
    case "rsa": {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits < 2048) {
        throw new Failure("usage", `An RSA key of ${bits} bits is too weak, 2048 are the least`);
      }
      return { key, algorithm: said?.startsWith("RSA") === true ? said : "RSA-OAEP" };
    }
    case "ec":
      return { key, algorithm: said?.startsWith("ECDH") === true ? said : "ECDH-ES+A256KW" };
    default:
      throw new Failure(
        "usage",
        `Keys of type ${key.asymmetricKeyType ?? "unknown"} cannot encrypt layers`,
        { hint: "use an RSA key, or one of the curves P-256, P-384 and P-521" },
      );
  }
}

/** The first reading that works; what does not is another format. */
function firstOf<T>(readings: readonly (() => T)[]): T | undefined {
  for (const read of readings) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return undefined;
}

function pemOf(bytes: Uint8Array): string {
  const text = latin(bytes);
  if (!text.includes("-----BEGIN ")) throw new Error("no PEM");
  return text;
}

function publicWebKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: webKeyOf(bytes), format: "jwk" });
}

function webKeyOf(bytes: Uint8Array): Record<string, unknown> {
  const key: unknown = JSON.parse(latin(bytes));
  if (typeof key !== "object" || key === null) throw new Error("no key");
  return { ...key };
}

function webKeyAlgorithm(bytes: Uint8Array): string | undefined {
  const alg = firstOf([() => webKeyOf(bytes)["alg"]]);
  return typeof alg === "string" && webKeyAlgorithms.includes(alg) ? alg : undefined;
}

function isPrivate(bytes: Uint8Array): boolean {
  const webKey = firstOf([() => webKeyOf(bytes)]);
  return webKey === undefined ? latin(bytes).includes("PRIVATE KEY-----") : "d" in webKey;
}

function latin(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
