// Rekor: what a transparency log promised about one signature.
//
// A signed entry timestamp (SET) proves something only about this signature, this key or certificate and
// this payload, so all three are compared.

import { createHash, type KeyObject, verify } from "node:crypto";

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { isJsonObject, type Json } from "../../json.ts";
import { bytesOf, membersOf, needed, parseDocument, type Placed, textOf } from "../strict-json.ts";
import { parsePem } from "./pem.ts";
import type { PublicKey } from "./public-key.ts";

/** What the log is to have seen. */
export interface LoggedSignature {
  /** The encoded key, or the encoded certificate, that the signature is verified with. */
  readonly verifier: Uint8Array;
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
}

/** Returns the keys of logs, for `verifySet`. Fails with `rejected` on one that is not of ECDSA. */
export function logKeysOf(keys: readonly PublicKey[]): readonly KeyObject[] {
  return keys.map(({ key }, index) => {
    if (key.asymmetricKeyType === "ec") return key;
    throw rejected(`Rekor public key ${index + 1} is not using ECDSA`);
  });
}

/**
 * Verifies that one of the logs promised to keep this signature, and returns when it did.
 *
 * `set` is the text that cosign keeps with a signature. Fails with `rejected`, or with `config` if it is
 * malformed.
 */
export function verifySet(
  set: string,
  logged: LoggedSignature,
  logKeys: readonly KeyObject[],
): Date {
  const document = parseDocument(new TextEncoder().encode(set));
  const members = membersOf(document, ["SignedEntryTimestamp", "Payload"]);
  const timestamp = bytesOf(needed(document, members, "SignedEntryTimestamp"));
  const payload = parsePayload(needed(document, members, "Payload"));
  const at = verifyPromise(payload, timestamp, logKeys);
  verifyBody(Buffer.from(payload.body, "base64"), logged);
  return at;
}

/** Returns when a log promised to keep what the payload says. Fails with `rejected`. */
export function verifyPromise(
  payload: SetPayload,
  timestamp: Uint8Array,
  logKeys: readonly KeyObject[],
): Date {
  const signed = new TextEncoder().encode(canonical(payload));
  const hashFor = (key: KeyObject) => (key.asymmetricKeyType === "ed25519" ? null : "sha256");
  if (!logKeys.some((key) => verify(hashFor(key), signed, key, timestamp))) {
    throw rejected("cryptographic signature verification of Rekor SET failed");
  }
  return new Date(payload.integratedTime * 1000);
}

/** Checks which key or certificate an entry has, in PEM. Fails with `rejected`. */
export function checkVerifier(pem: Uint8Array, { verifier }: LoggedSignature, where: string): void {
  const [block, ...more] = parsePem(pem);
  if (block === undefined || more.length > 0) {
    throw rejected(`publicKey in ${where} is not one PEM block`);
  }
  if (Buffer.compare(block.bytes, verifier) !== 0) {
    throw rejected(`publicKey in ${where} does not match`);
  }
}

/** Checks the hash of what was signed. Fails with `rejected`. */
export function checkHash(
  value: Json,
  name: string,
  { payload }: LoggedSignature,
  where: string,
): void {
  const algorithm = textAt(value, name, "algorithm");
  if (algorithm !== "sha256") {
    throw rejected(`unexpected "data.hash.algorithm" value ${quoted(algorithm)}`);
  }
  const hash = createHash("sha256").update(payload).digest("hex");
  if (textAt(value, name, "value") !== hash) {
    throw rejected(`payload in ${where} does not match`);
  }
}

/** What a log signs when it promises. */
export interface SetPayload {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
}

function parsePayload(placed: Placed): SetPayload {
  const members = membersOf(placed, ["body", "integratedTime", "logIndex", "logID"]);
  const integer = (name: string): number => {
    const { value } = needed(placed, members, name);
    if (Number.isSafeInteger(value)) return Number(value);
    throw rejected(`${name} in Rekor SET is no integer`);
  };
  const body = needed(placed, members, "body");
  bytesOf(body);
  return {
    body: textOf(body),
    integratedTime: integer("integratedTime"),
    logID: textOf(needed(placed, members, "logID")),
    logIndex: integer("logIndex"),
  };
}

/** As https://www.rfc-editor.org/rfc/rfc8785 says, of texts and integers: with members sorted. */
function canonical({ body, integratedTime, logID, logIndex }: SetPayload): string {
  return JSON.stringify({ body, integratedTime, logID, logIndex });
}

/**
 * Verifies that a log entry, a `hashedrekord`, is about this signature.
 *
 * Fails with `rejected`, in the original's words. The caller has to know that the body is the log's.
 */
export function verifyBody(body: Uint8Array, logged: LoggedSignature): void {
  const { value } = parseDocument(body);
  const kind = textAt(value, "kind");
  if (kind !== "hashedrekord") throw rejected(`unsupported Rekor SET Payload kind ${quoted(kind)}`);
  const version = textAt(value, "apiVersion");
  if (version === "") throw rejected("missing Rekor SET Payload API version");
  if (version !== "0.0.1") {
    throw rejected(`unsupported Rekor SET Payload hashedrekord version ${quoted(version)}`);
  }
  const pem = decodedAt(value, "spec", "signature", "publicKey", "content");
  checkVerifier(pem, logged, "Rekor SET");
  const signature = decodedAt(value, "spec", "signature", "content");
  if (Buffer.compare(signature, logged.signature) !== 0) {
    const [inLog, own] = [signature, logged.signature].map((bytes) =>
      quoted(Buffer.from(bytes).toString("base64")),
    );
    throw rejected(`signature in Rekor SET does not match: ${inLog} vs. ${own}`);
  }
  checkHash(dataIn(value), "hash", logged, "Rekor SET");
}

function dataIn(value: Json): Json {
  const spec = isJsonObject(value) ? value["spec"] : undefined;
  return (isJsonObject(spec) ? spec["data"] : undefined) ?? null;
}

/** Returns the bytes at the end of a path, which stand there in base64; none if there is nothing. */
export function decodedAt(value: Json, ...path: readonly string[]): Uint8Array {
  return bytesOf({ value: textAt(value, ...path), at: "" });
}

/** Returns the text at the end of a path; empty if there is none. */
export function textAt(value: Json, ...path: readonly string[]): string {
  let at: Json | undefined = value;
  for (const name of path) at = isJsonObject(at) ? at[name] : undefined;
  return typeof at === "string" ? at : "";
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
