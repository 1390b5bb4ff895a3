// Bundle: a signed statement about an image, with all that it takes to verify it.
//
// See https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto, version 0.3. A
// bundle names no image: it proves that somebody signed this digest, and not under which name.

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { isJsonObject, type Json, type JsonObject } from "../../json.ts";
import { limits } from "../../limits.ts";
import { bytesOf, parseDocument } from "../strict-json.ts";
import { bundleType } from "./bundle-type.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { Envelope } from "./envelope.ts";
import type { InclusionProof } from "./inclusion.ts";

/** A bundle as it is found: all that it says is a claim. */
export interface Bundle {
  readonly envelope: Envelope;
  /** What it was signed with, where it was not a key that others know. */
  readonly certificates?: { readonly leaf: Certificate; readonly between: readonly Certificate[] };
  readonly entries: readonly BundledEntry[];
  /** Answers of timestamp authorities about the signature. */
  readonly timestamps: readonly Uint8Array[];
}

/** An entry of a transparency log that comes with a bundle. */
export interface BundledEntry {
  readonly body: Uint8Array;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logId: Uint8Array;
  /** The log's promise to keep the entry; absent in newer logs. */
  readonly promise?: Uint8Array;
  /** That the log has kept it; absent where the log has signed nothing about that. */
  readonly proof?: InclusionProof;
}

/** Parses a bundle. Fails with `corrupt` if it is none, or with `config` where a key is repeated. */
export function parseBundle(bytes: Uint8Array): Bundle {
  const { value } = parseDocument(bytes);
  const bundle = objectIn(value, "the bundle");
  const { mediaType } = bundle;
  if (mediaType !== bundleType) {
    const said = typeof mediaType === "string" ? mediaType : "";
    throw malformed(`media type ${quoted(said)} is not ${quoted(bundleType)}`);
  }
  const material = objectIn(bundle["verificationMaterial"], "verificationMaterial");
  const certificates = certificatesIn(material);
  const entries = material["tlogEntries"] ?? [];
  if (!Array.isArray(entries)) throw malformed("tlogEntries are no list");
  if (entries.length > limits.bundleEntries) throw malformed("too many tlogEntries");
  return {
    envelope: envelopeIn(bundle["dsseEnvelope"]),
    ...(certificates !== undefined && { certificates }),
    entries: entries.map(entryIn),
    timestamps: timestampsIn(material["timestampVerificationData"]),
  };
}

function envelopeIn(value: Json | undefined): Envelope {
  const envelope = objectIn(value, "dsseEnvelope");
  const { signatures } = envelope;
  // Of several, it would not be clear which one counts.
  if (!Array.isArray(signatures) || signatures.length !== 1) {
    throw malformed("an envelope without exactly one signature");
  }
  return {
    payload: decoded(envelope, "payload"),
    payloadType: textIn(envelope, "payloadType"),
    signature: decoded(objectIn(signatures[0], "signature"), "sig"),
  };
}

function certificatesIn(material: JsonObject): Bundle["certificates"] {
  const { certificate, x509CertificateChain: chain, publicKey } = material;
  const given = [certificate, chain, publicKey].filter((each) => each !== undefined);
  if (given.length !== 1) throw malformed("it has not exactly one of key and certificate");
  if (certificate !== undefined) return { leaf: certificateIn(certificate), between: [] };
  if (chain === undefined) return undefined;
  const listed = objectIn(chain, "x509CertificateChain")["certificates"];
  if (!Array.isArray(listed) || listed.length > limits.certificatePath) {
    throw malformed("an odd chain of certificates");
  }
  const [leaf, ...between] = listed.map(certificateIn);
  if (leaf === undefined) throw malformed("an empty chain of certificates");
  return { leaf, between };
}

function certificateIn(value: Json): Certificate {
  return parseCertificate(decoded(objectIn(value, "certificate"), "rawBytes"));
}

function entryIn(value: Json): BundledEntry {
  const entry = objectIn(value, "tlogEntries");
  const promise = entry["inclusionPromise"];
  const proof = proofIn(entry["inclusionProof"]);
  return {
    body: decoded(entry, "canonicalizedBody"),
    integratedTime: integerIn(entry, "integratedTime"),
    logIndex: integerIn(entry, "logIndex"),
    logId: decoded(objectIn(entry["logId"], "logId"), "keyId"),
    ...(promise !== undefined && {
      promise: decoded(objectIn(promise, "inclusionPromise"), "signedEntryTimestamp"),
    }),
    ...(proof !== undefined && { proof }),
  };
}

function proofIn(value: Json | undefined): InclusionProof | undefined {
  if (value === undefined) return undefined;
  const proof = objectIn(value, "inclusionProof");
  const { checkpoint, hashes = [] } = proof;
  // Older bundles have none, and then nobody vouches for the rest.
  if (checkpoint === undefined) return undefined;
  if (!Array.isArray(hashes) || hashes.length > limits.inclusionPath) throw malformed("odd hashes");
  return {
    index: integerIn(proof, "logIndex"),
    size: integerIn(proof, "treeSize"),
    root: decoded(proof, "rootHash"),
    path: hashes.map((value) => hashIn(value)),
    checkpoint: textIn(objectIn(checkpoint, "checkpoint"), "envelope"),
  };
}

/** A sibling of another length could move what is hashed into another place. */
function hashIn(value: Json): Uint8Array {
  const hash = bytesOf({ value, at: "hashes" });
  if (hash.length === 32) return hash;
  throw malformed("a hash of odd length");
}

function timestampsIn(value: Json | undefined): readonly Uint8Array[] {
  if (value === undefined) return [];
  const listed = objectIn(value, "timestampVerificationData")["rfc3161Timestamps"] ?? [];
  if (!Array.isArray(listed) || listed.length > limits.bundleEntries) {
    throw malformed("odd rfc3161Timestamps");
  }
  return listed.map((each) => decoded(objectIn(each, "rfc3161Timestamps"), "signedTimestamp"));
}

function objectIn(value: Json | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw malformed(`${what} is no object`);
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value === "string") return value;
  throw malformed(`${name} is no text`);
}

function decoded(object: JsonObject, name: string): Uint8Array {
  return bytesOf({ value: textIn(object, name), at: name });
}

/** Whole numbers of 64 bits are texts there, and zero may be left out. */
function integerIn(object: JsonObject, name: string): number {
  const value = object[name] ?? 0;
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  throw malformed(`${name} is no number`);
}

function malformed(why: string): Failure {
  return new Failure("corrupt", `malformed Sigstore bundle: ${why}`);
}
