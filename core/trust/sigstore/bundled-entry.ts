// Bundled entry: what a transparency log says about the signature in a bundle.
//
// Whatever the log has said of it has to be true: its promise (SET) and the proof that it was kept. An entry is
// about this signature only if it has this signature, this key or certificate and this document.

import { createHash, type KeyObject } from "node:crypto";

import { Failure } from "../../failure.ts";
import { isJsonObject, type Json } from "../../json.ts";
import { parseDocument, quoted } from "../strict-json.ts";
import type { BundledEntry } from "./bundle.ts";
import { type Envelope, signedBytes } from "./envelope.ts";
import { verifyInclusion } from "./inclusion.ts";
import type { PublicKey } from "./public-key.ts";
import { checkHash, checkVerifier, decodedAt, textAt, verifyPromise } from "./rekor.ts";

/** What the log is to have seen. */
export interface LoggedEnvelope extends Envelope {
  /** The encoded key, or the encoded certificate, that the signature is verified with. */
  readonly verifier: Uint8Array;
}

/** Returns the keys of logs, for `verifyBundledEntry`. Fails with `rejected` on one that no log has. */
export function bundleLogKeysOf(keys: readonly PublicKey[]): readonly KeyObject[] {
  return keys.map(({ key }, index) => {
    if (key.asymmetricKeyType === "ec" || key.asymmetricKeyType === "ed25519") return key;
    throw rejected(`Rekor public key ${index + 1} is neither of ECDSA nor of Ed25519`);
  });
}

/**
 * Verifies that one of the logs has this signature of an envelope, and returns when it took it; undefined if the
 * log has signed no time.
 *
 * Fails with `rejected`, with `corrupt`, or with `config` if the entry is malformed.
 */
export function verifyBundledEntry(
  { body, integratedTime, logIndex, logId, promise, proof }: BundledEntry,
  logged: LoggedEnvelope,
  logKeys: readonly KeyObject[],
): Date | undefined {
  if (promise === undefined && proof === undefined) {
    throw rejected("the transparency log has given neither a promise (SET) nor a proof");
  }
  const payload = {
    body: Buffer.from(body).toString("base64"),
    integratedTime,
    logID: Buffer.from(logId).toString("hex"),
    logIndex,
  };
  // Only the promise is about the time.
  const at = promise === undefined ? undefined : verifyPromise(payload, promise, logKeys);
  if (proof !== undefined) verifyInclusion(body, proof, logKeys);
  verifyEnvelopeBody(body, logged);
  return at;
}

const where = "log entry";

/** Verifies that a log entry is about this signature of an envelope. */
function verifyEnvelopeBody(body: Uint8Array, logged: LoggedEnvelope): void {
  const { value } = parseDocument(body);
  const kind = `${textAt(value, "kind")} ${textAt(value, "apiVersion")}`;
  const spec = memberOf(value, "spec");
  switch (kind) {
    case "dsse 0.0.1":
      return verifyEnvelope(spec, logged);
    case "dsse 0.0.2":
      return verifyNewerEnvelope(memberOf(spec, "dsseV002"), logged);
    // What cosign makes of an envelope: the hash is that of the very bytes that are signed.
    case "hashedrekord 0.0.2":
      return verifyNewerRecord(memberOf(spec, "hashedRekordV002"), logged);
  }
  throw rejected(`unsupported log entry ${quoted(kind)}`);
}

function verifyEnvelope(spec: Json, logged: LoggedEnvelope): void {
  const entry = onlySignature(spec);
  checkVerifier(decodedAt(entry, "verifier"), logged, where);
  checkSignature(decodedAt(entry, "signature"), logged);
  checkHash(spec, "payloadHash", logged, where);
}

function verifyNewerEnvelope(spec: Json, logged: LoggedEnvelope): void {
  checkNewerSignature(onlySignature(spec), logged);
  checkNewerHash(memberOf(spec, "payloadHash"), logged.payload);
}

function verifyNewerRecord(spec: Json, logged: LoggedEnvelope): void {
  checkNewerSignature(memberOf(spec, "signature"), logged);
  checkNewerHash(memberOf(spec, "data"), signedBytes(logged));
}

function onlySignature(spec: Json): Json {
  const signatures = memberOf(spec, "signatures");
  if (Array.isArray(signatures) && signatures.length === 1) return signatures[0] ?? null;
  throw rejected("log entry has not exactly one signature");
}

function checkNewerSignature(entry: Json, logged: LoggedEnvelope): void {
  const verifier = memberOf(entry, "verifier");
  const [key, certificate] = [
    memberOf(verifier, "publicKey"),
    memberOf(verifier, "x509Certificate"),
  ];
  if ((key === null) === (certificate === null)) {
    throw rejected("log entry has not exactly one of key and certificate");
  }
  const encoded = decodedAt(key ?? certificate, "rawBytes");
  if (Buffer.compare(encoded, logged.verifier) !== 0) {
    throw rejected(`publicKey in ${where} does not match`);
  }
  checkSignature(decodedAt(entry, "content"), logged);
}

function checkSignature(signature: Uint8Array, logged: LoggedEnvelope): void {
  if (Buffer.compare(signature, logged.signature) !== 0) {
    throw rejected(`signature in ${where} does not match`);
  }
}

function checkNewerHash(hash: Json, bytes: Uint8Array): void {
  const algorithm = textAt(hash, "algorithm");
  if (algorithm !== "SHA2_256") throw rejected(`unexpected hash algorithm ${quoted(algorithm)}`);
  const expected = createHash("sha256").update(bytes).digest();
  if (Buffer.compare(decodedAt(hash, "digest"), expected) !== 0) {
    throw rejected(`payload in ${where} does not match`);
  }
}

function memberOf(value: Json, name: string): Json {
  return isJsonObject(value) ? (value[name] ?? null) : null;
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
