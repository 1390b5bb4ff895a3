// OpenPGP signatures of version 3: what old signing servers made, and libraries have forgotten.
//
// See https://www.rfc-editor.org/rfc/rfc4880#section-5.2.2

import { constants, createHash, createPublicKey, type KeyObject, verify } from "node:crypto";

import { Failure } from "../failure.ts";
import type { SignedMessage } from "./openpgp-message.ts";
import { numberIn } from "./openpgp-packets.ts";

/**
 * Verifies a signature of version 3 by the body of a key packet, and returns when it says it was made.
 *
 * Only RSA was ever in use. Fails with `rejected` unless the signature is good.
 */
export function checkVersion3(
  { signature, unverifiedDocument }: SignedMessage,
  keyPacket: Uint8Array,
): Date {
  const { body, kind, hash, keyAlgorithm } = signature;
  const name = hashNames[hash];
  const [, , , , , algorithm = 0] = keyPacket;
  if (name === undefined) throw invalid(`hash algorithm ${hash} is not known`);
  if (!rsa.has(keyAlgorithm) || !rsa.has(algorithm) || keyPacket[0] !== 4) {
    throw invalid("signatures of version 3 are only known with RSA");
  }
  const document = kind === "text" ? withNetworkLines(unverifiedDocument) : unverifiedDocument;
  // Class and time are hashed behind the document.
  const hashed = Buffer.concat([document, body.subarray(2, 7)]);
  const start = createHash(name).update(hashed).digest().subarray(0, 2);
  if (!start.equals(body.subarray(17, 19))) throw invalid("the document is not what was signed");
  const [number, end] = numberAt(body, 19);
  const { key, modulusBytes } = rsaKeyOf(keyPacket);
  const padded = Buffer.alloc(modulusBytes);
  if (end !== body.length || number.length > modulusBytes) throw invalid("it is malformed");
  padded.set(number, modulusBytes - number.length);
  if (!verify(name, hashed, { key, padding: constants.RSA_PKCS1_PADDING }, padded)) {
    throw invalid("the document is not what was signed");
  }
  return new Date(numberIn(body.subarray(3, 7)) * 1000);
}

/** Encrypt and sign, or sign only. */
const rsa: ReadonlySet<number> = new Set([1, 3]);

const hashNames: Readonly<Record<number, string>> = {
  8: "sha256",
  9: "sha384",
  10: "sha512",
  11: "sha224",
};

function rsaKeyOf(packet: Uint8Array): { readonly key: KeyObject; readonly modulusBytes: number } {
  const [modulus, next] = numberAt(packet, 6);
  const [exponent] = numberAt(packet, next);
  const jwk = {
    kty: "RSA",
    n: Buffer.from(modulus).toString("base64url"),
    e: Buffer.from(exponent).toString("base64url"),
  };
  return { key: createPublicKey({ key: jwk, format: "jwk" }), modulusBytes: modulus.length };
}

/** Returns a number with its length in bits before it, and where the next one begins. */
function numberAt(bytes: Uint8Array, at: number): readonly [number: Uint8Array, end: number] {
  const from = at + 2;
  const end = from + Math.ceil(numberIn(bytes.subarray(at, from)) / 8);
  if (end > bytes.length || from > bytes.length) throw invalid("it is malformed");
  return [bytes.subarray(from, end), end];
}

/** Ends all lines with CR LF. */
function withNetworkLines(document: Uint8Array): Uint8Array {
  const text = Buffer.from(document).toString("latin1");
  return Buffer.from(text.replace(/\r?\n/g, "\r\n"), "latin1");
}

function invalid(why: string): Failure {
  return new Failure("rejected", `Invalid GPG signature: ${why}`);
}
