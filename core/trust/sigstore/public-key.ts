// Public key: what a signature is verified with.

import { createPublicKey, type KeyObject, verify } from "node:crypto";

import { digestOf } from "../../content/digest.ts";
import { asFailure, Failure } from "../../failure.ts";
import { parsePem } from "./pem.ts";

/** A key that is good enough to rely on. */
export interface PublicKey {
  readonly key: KeyObject;
  /** The encoded key: equal ones are the same. */
  readonly bytes: Uint8Array;
}

/** Parses a PEM file with one public key. Fails with `corrupt`, or with `rejected` if it is too weak. */
export function parsePublicKey(pem: Uint8Array | string): PublicKey {
  const [block, ...more] = parsePem(pem);
  if (block === undefined) throw new Failure("corrupt", "PEM decoding failed");
  if (more.length > 0)
    throw new Failure("corrupt", "more than one PEM block where one was expected");
  switch (block.label) {
    case "PUBLIC KEY":
      return publicKeyOf(importKey(block.bytes, "spki"));
    case "RSA PUBLIC KEY":
      return publicKeyOf(importKey(block.bytes, "pkcs1"));
  }
  throw new Failure(
    "corrupt",
    `unknown Public key PEM file type: ${block.label}. Are you passing the correct public key?`,
  );
}

function importKey(bytes: Uint8Array, type: "spki" | "pkcs1"): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(bytes), format: "der", type });
  } catch (error) {
    throw new Failure("corrupt", `unusable public key: ${asFailure(error).message}`);
  }
}

/** Takes a key that was read elsewhere. Fails with `rejected` if it is too weak, and names it. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const weakness = weaknessOf(key);
  if (weakness !== undefined) throw new Failure("rejected", weakness);
  return { key, bytes: key.export({ format: "der", type: "spki" }) };
}

/** Returns why nobody should rely on a key; undefined where one may. */
function weaknessOf(key: KeyObject): string | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  switch (asymmetricKeyType) {
    case "ec":
    case "ed25519":
      return undefined;
    case "rsa": {
      const bits = asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits >= 2048) return undefined;
      return `RSA key of ${bits} bits is too weak, 2048 are the least`;
    }
  }
  return `unsupported public key type: ${asymmetricKeyType ?? "unknown"}`;
}

/** Tells whether a signature is this key's, over these bytes. */
export function isSignature({ key }: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  // Over SHA-256, whatever the curve; Ed25519 takes the bytes as they are.
  const hash = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return verify(hash, bytes, key, signature);
}

/** Returns the key in words: its kind, and by which fingerprint other tools know it. */
export function spelledKey({ key, bytes }: PublicKey): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const fingerprint = digestOf(bytes);
  if (type === "rsa") return `RSA ${details?.modulusLength} ${fingerprint}`;
  return `${type === "ec" ? `ECDSA ${details?.namedCurve}` : "Ed25519"} ${fingerprint}`;
}
