// Envelope: a document and a signature over it and over what it is (DSSE).
//
// See https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md

import { verify } from "node:crypto";

import type { PublicKey } from "./public-key.ts";

/** A document in its envelope. Nothing in it is to be looked at before the signature is verified. */
export interface Envelope {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signature: Uint8Array;
}

/** Tells whether the signature of an envelope is of this key. */
export function isSealedBy({ key }: PublicKey, envelope: Envelope): boolean {
  const bytes = signedBytes(envelope);
  return hashesFor(key).some((hash) => verify(hash, bytes, key, envelope.signature));
}

/** Returns the bytes that are signed. */
export function signedBytes({ payload, payloadType }: Omit<Envelope, "signature">): Uint8Array {
  const type = Buffer.from(payloadType);
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Some signers choose the hash by the size of the curve, and some do not. */
function hashesFor({ asymmetricKeyType, asymmetricKeyDetails }: PublicKey["key"]) {
  if (asymmetricKeyType === "ed25519") return [null];
  switch (asymmetricKeyDetails?.namedCurve) {
    case "secp384r1":
      return ["sha256", "sha384"];
    case "secp521r1":
      return ["sha256", "sha512"];
  }
  return ["sha256"];
}
