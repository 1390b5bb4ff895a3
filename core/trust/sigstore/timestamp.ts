// Timestamp: the word of an authority that something was there at a time.
//
// See https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2 and, for the message around it,
// https://www.rfc-editor.org/rfc/rfc5652#section-5

import { createHash, verify } from "node:crypto";

import { Failure } from "../../failure.ts";
import { type Certificate, keyOf, parseCertificate } from "./certificate.ts";
import {
  derItems,
  derOid,
  DerReader,
  derSmallInteger,
  derTags,
  derTime,
  type DerValue,
  derValue,
} from "./der.ts";
import { verifyPath } from "./path.ts";
import { publicKeyOf } from "./public-key.ts";

/** Whose word counts. */
export interface TimestampAuthority {
  readonly roots: readonly Certificate[];
  /** Certificates that may stand between, besides those that come with a timestamp. */
  readonly between: readonly Certificate[];
}

/** Returns when an authority saw these bytes. Fails with `rejected`, or `corrupt` on what is no timestamp. */
export function verifyTimestamp(
  response: Uint8Array,
  seen: Uint8Array,
  { roots, between }: TimestampAuthority,
): Date {
  const token = parseResponse(response);
  const at = verifyContent(token, seen);
  const known = [...token.certificates, ...between];
  const leaf = [...known, ...roots].find((each) => isSigner(each, token));
  if (leaf === undefined) throw rejected("the timestamp is not of an authority that is trusted");
  try {
    verifyPath({ leaf, intermediates: known, roots, at, purpose: "timestamps" });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw rejected(`verifying the timestamp's certificate failed: ${error.message}`);
  }
  return at;
}

/** A signed message, as it says of itself. */
interface Token {
  /** What the authority says, encoded. */
  readonly content: Uint8Array;
  readonly certificates: readonly Certificate[];
  /** What is signed, encoded: among them a digest of the content. */
  readonly attributes: Uint8Array;
  /** Of the content, in the attributes; and of the attributes, in the signature. */
  readonly contentHash: string;
  readonly signatureHash: string;
  readonly signature: Uint8Array;
}

const ids = {
  signedData: "1.2.840.113549.1.7.2",
  timestampInfo: "1.2.840.113549.1.9.16.1.4",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
} as const;

const hashes: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/** Signature algorithms that name the hash, which others leave to the digest algorithm. */
const signatureHashes: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

function parseResponse(bytes: Uint8Array): Token {
  const response = new DerReader(derValue(bytes, derTags.sequence).content);
  const [status] = derItems(response.next(derTags.sequence));
  if (status?.tag !== derTags.integer || derSmallInteger(status) > 1) {
    throw rejected("the authority refused to give a timestamp");
  }
  const message = new DerReader(response.next(derTags.sequence).content);
  response.end();
  checkId(message.next(derTags.objectIdentifier), ids.signedData);
  const data = new DerReader(derValue(message.next(0xa0).content, derTags.sequence).content);
  message.end();
  data.next(derTags.integer);
  data.next(set);
  const content = contentOf(data.next(derTags.sequence));
  const certificates = data.maybe(0xa0);
  data.maybe(0xa1);
  const [signer, ...more] = derItems(data.next(set));
  data.end();
  if (signer === undefined || more.length > 0) throw malformed("not exactly one signer");
  return {
    content,
    certificates: certificates === undefined ? [] : certificatesIn(certificates),
    ...signerOf(signer),
  };
}

const set = 0x31;

function contentOf(encapsulated: DerValue): Uint8Array {
  const reader = new DerReader(encapsulated.content);
  checkId(reader.next(derTags.objectIdentifier), ids.timestampInfo);
  const { content } = derValue(reader.next(0xa0).content, derTags.octetString);
  reader.end();
  return content;
}

function certificatesIn(value: DerValue): readonly Certificate[] {
  return derItems(value)
    .slice(0, mostCertificates)
    .filter(({ tag }) => tag === derTags.sequence)
    .map(({ bytes }) => parseCertificate(bytes));
}

const mostCertificates = 10;

function signerOf(
  signer: DerValue,
): Pick<Token, "attributes" | "contentHash" | "signatureHash" | "signature"> {
  if (signer.tag !== derTags.sequence) throw malformed("an odd signer");
  const reader = new DerReader(signer.content);
  reader.next(derTags.integer);
  // Who it is: found by whose key it is, instead.
  reader.next();
  const contentHash = hashOf(reader.next(derTags.sequence));
  const attributes = reader.next(0xa0);
  const algorithm = idIn(reader.next(derTags.sequence));
  const { content: signature } = reader.next(derTags.octetString);
  reader.maybe(0xa1);
  reader.end();
  const named = Object.hasOwn(signatureHashes, algorithm) ? signatureHashes[algorithm] : undefined;
  // What is signed are the attributes as a set, however they are tagged here.
  const bytes = Uint8Array.from([set, ...attributes.bytes.subarray(1)]);
  return { attributes: bytes, contentHash, signatureHash: named ?? contentHash, signature };
}

/** Verifies that the attributes are about the content, and the content about what was seen. */
function verifyContent({ content, attributes, contentHash }: Token, seen: Uint8Array): Date {
  const values = attributesIn(attributes);
  const type = values.get(ids.contentType);
  if (type === undefined) throw malformed("no content type");
  checkId(type, ids.timestampInfo);
  const digest = values.get(ids.messageDigest);
  if (digest === undefined || !isHash(contentHash, content, digest.content)) {
    throw rejected("the timestamp was changed");
  }
  const info = new DerReader(derValue(content, derTags.sequence).content);
  if (derSmallInteger(info.next(derTags.integer)) !== 1) throw malformed("an unknown version");
  info.next(derTags.objectIdentifier);
  const imprint = new DerReader(info.next(derTags.sequence).content);
  const hash = hashOf(imprint.next(derTags.sequence));
  const { content: imprinted } = imprint.next(derTags.octetString);
  imprint.end();
  if (!isHash(hash, seen, imprinted)) throw rejected("the timestamp is of another signature");
  info.next(derTags.integer);
  return wholeSeconds(info.next(derTags.generalizedTime));
}

function attributesIn(attributes: Uint8Array): ReadonlyMap<string, DerValue> {
  const values = new Map<string, DerValue>();
  for (const attribute of derItems(derValue(attributes, set))) {
    const [id, value, ...more] = derItems(attribute);
    const [only, ...others] = value?.tag === set ? derItems(value) : [];
    if (id === undefined || only === undefined || more.length > 0) {
      throw malformed("an odd attribute");
    }
    const name = derOid(id);
    if (values.has(name)) throw malformed("an attribute twice");
    if (others.length === 0) values.set(name, only);
  }
  return values;
}

function isSigner(certificate: Certificate, token: Token): boolean {
  const { attributes, signatureHash, signature } = token;
  const { key } = publicKeyOf(keyOf(certificate));
  const hash = key.asymmetricKeyType === "ed25519" ? null : signatureHash;
  return verify(hash, attributes, key, signature);
}

function isHash(hash: string, bytes: Uint8Array, digest: Uint8Array): boolean {
  return Buffer.compare(createHash(hash).update(bytes).digest(), digest) === 0;
}

/** Authorities may be more exact than certificates are. */
function wholeSeconds(time: DerValue): Date {
  const text = new TextDecoder("latin1").decode(time.content).replace(/\.\d{1,9}Z$/, "Z");
  return derTime({ ...time, content: new TextEncoder().encode(text) });
}

function hashOf(algorithm: DerValue): string {
  const id = idIn(algorithm);
  const hash = Object.hasOwn(hashes, id) ? hashes[id] : undefined;
  if (hash === undefined) throw rejected(`the timestamp uses the hash ${id}, which is not taken`);
  return hash;
}

function idIn(algorithm: DerValue): string {
  const [id] = derItems(algorithm);
  if (id?.tag !== derTags.objectIdentifier) throw malformed("an odd algorithm");
  return derOid(id);
}

function checkId(value: DerValue, expected: string): void {
  if (value.tag !== derTags.objectIdentifier || derOid(value) !== expected) {
    throw malformed("content of an unknown type");
  }
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}

function malformed(what: string): Failure {
  return new Failure("corrupt", `malformed timestamp: ${what}`);
}
