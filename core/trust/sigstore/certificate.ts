// Certificate: an X.509 certificate, read for what paths and identities are judged by.
//
// The runtime's own class shows neither raw extensions nor names that could be told apart for sure, so
// the structure is read here. See https://www.rfc-editor.org/rfc/rfc5280#section-4.1

import { createPublicKey, type KeyObject, verify } from "node:crypto";

import { asFailure, Failure } from "../../failure.ts";
import {
  derBitString,
  derBoolean,
  derItems,
  derOid,
  DerReader,
  derSmallInteger,
  derTags,
  derTime,
  type DerValue,
  derValue,
} from "./der.ts";

/** A certificate as it says of itself: nothing in it is verified. */
export interface Certificate {
  readonly bytes: Uint8Array;
  /** Encoded names: equal ones are the same. */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The encoded public key. */
  readonly publicKey: Uint8Array;
  readonly signed: SignedPart;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** Whether it may issue others, and how many may stand below; absent where it does not say. */
  readonly authority?: { readonly isAuthority: boolean; readonly pathLength?: number };
  /** Whether its key may sign certificates; absent where its usage is not limited. */
  readonly signsCertificates?: boolean;
  /** What its key is for; absent where that is not limited. */
  readonly purposes?: readonly string[];
  readonly names: AlternativeNames;
}

/** What was signed, and how. */
export interface SignedPart {
  readonly bytes: Uint8Array;
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/** One extension, by its object identifier in the map. */
export interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Who the subject is beside its name. */
export interface AlternativeNames {
  readonly emails: readonly string[];
  readonly hosts: readonly string[];
  readonly uris: readonly string[];
  /** Raw bytes of addresses. */
  readonly addresses: readonly Uint8Array[];
}

/** Object identifiers of extensions that are understood here. */
export const extensionIds = {
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  policies: "2.5.29.32",
  purposes: "2.5.29.37",
} as const;

/** Parses one certificate. Fails with `corrupt`. */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new DerReader(derValue(bytes, derTags.sequence).content);
  const body = outer.next(derTags.sequence);
  const algorithm = outer.next(derTags.sequence);
  const signature = derBitString(outer.next(derTags.bitString));
  outer.end();
  const reader = new DerReader(body.content);
  checkVersion(reader.maybe(0xa0));
  reader.next(derTags.integer);
  const inner = reader.next(derTags.sequence);
  if (Buffer.compare(inner.bytes, algorithm.bytes) !== 0) {
    throw malformed("inner and outer signature algorithm do not match");
  }
  const issuer = reader.next(derTags.sequence).bytes;
  const [notBefore, notAfter, ...more] = derItems(reader.next(derTags.sequence));
  if (notBefore === undefined || notAfter === undefined || more.length > 0) {
    throw malformed("odd validity");
  }
  const subject = reader.next(derTags.sequence).bytes;
  const publicKey = reader.next(derTags.sequence).bytes;
  // Unique identifiers, which nobody uses.
  for (const tag of [0x81, 0x82]) reader.maybe(tag);
  const extensions = extensionsOf(reader.maybe(0xa3));
  reader.end();
  return {
    bytes,
    subject,
    issuer,
    notBefore: derTime(notBefore),
    notAfter: derTime(notAfter),
    publicKey,
    signed: { bytes: body.bytes, algorithm: algorithmOf(algorithm), signature },
    extensions,
    ...authorityOf(extensions.get(extensionIds.basicConstraints)),
    ...usageOf(extensions.get(extensionIds.keyUsage)),
    ...purposesOf(extensions.get(extensionIds.purposes)),
    names: namesOf(extensions.get(extensionIds.alternativeNames)),
  };
}

/** Returns the public key of a certificate, for the runtime. Fails with `corrupt`. */
export function keyOf({ publicKey }: Certificate): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  } catch (error) {
    throw new Failure(
      "corrupt",
      `unusable public key in a certificate: ${asFailure(error).message}`,
    );
  }
}

const hashes: Readonly<Record<string, { readonly hash: string | null; readonly type: string }>> = {
  "1.2.840.113549.1.1.11": { hash: "sha256", type: "rsa" },
  "1.2.840.113549.1.1.12": { hash: "sha384", type: "rsa" },
  "1.2.840.113549.1.1.13": { hash: "sha512", type: "rsa" },
  "1.2.840.10045.4.3.2": { hash: "sha256", type: "ec" },
  "1.2.840.10045.4.3.3": { hash: "sha384", type: "ec" },
  "1.2.840.10045.4.3.4": { hash: "sha512", type: "ec" },
  "1.3.101.112": { hash: null, type: "ed25519" },
};

/** Tells whether a certificate was signed by this key. Algorithms that are weak or unknown never fit. */
export function isSignedBy({ signed }: Certificate, key: KeyObject): boolean {
  const { bytes, algorithm, signature } = signed;
  const known = Object.hasOwn(hashes, algorithm) ? hashes[algorithm] : undefined;
  if (known === undefined || key.asymmetricKeyType !== known.type) return false;
  return verify(known.hash, bytes, key, signature);
}

/** Returns the text of an extension that is one UTF-8 string; undefined without it. */
export function textExtension({ extensions }: Certificate, id: string): string | undefined {
  const extension = extensions.get(id);
  if (extension === undefined) return undefined;
  const { content } = derValue(extension.value, derTags.utf8String);
  return utf8Of(content);
}

/** Returns text in UTF-8. Fails with `corrupt` if it is none. */
export function utf8Of(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Failure("corrupt", "malformed certificate: text that is not UTF-8", { cause: error });
  }
}

function checkVersion(value: DerValue | undefined): void {
  const version =
    value === undefined ? 0 : derSmallInteger(derValue(value.content, derTags.integer));
  if (version !== 2) throw malformed(`version ${version + 1} where 3 was expected`);
}

function algorithmOf(sequence: DerValue): string {
  const [id] = derItems(sequence);
  if (id?.tag !== derTags.objectIdentifier) throw malformed("no signature algorithm");
  return derOid(id);
}

function extensionsOf(value: DerValue | undefined): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  if (value === undefined) return found;
  for (const item of derItems(derValue(value.content, derTags.sequence))) {
    if (item.tag !== derTags.sequence) throw malformed("an odd extension");
    const reader = new DerReader(item.content);
    const id = derOid(reader.next(derTags.objectIdentifier));
    const critical = reader.maybe(derTags.boolean);
    const { content } = reader.next(derTags.octetString);
    reader.end();
    if (found.has(id)) throw malformed(`extension ${id} twice`);
    found.set(id, { critical: critical !== undefined && derBoolean(critical), value: content });
  }
  return found;
}

function authorityOf(extension: Extension | undefined): Pick<Certificate, "authority"> {
  if (extension === undefined) return {};
  const reader = new DerReader(derValue(extension.value, derTags.sequence).content);
  const flag = reader.maybe(derTags.boolean);
  const length = reader.maybe(derTags.integer);
  reader.end();
  return {
    authority: {
      isAuthority: flag !== undefined && derBoolean(flag),
      ...(length !== undefined && { pathLength: derSmallInteger(length) }),
    },
  };
}

function usageOf(extension: Extension | undefined): Pick<Certificate, "signsCertificates"> {
  if (extension === undefined) return {};
  const { content } = derValue(extension.value, derTags.bitString);
  const [unused = 8, first = 0] = content;
  if (unused > 7 || content.length > 3) throw malformed("odd key usage");
  return { signsCertificates: (first & 0x04) !== 0 };
}

function purposesOf(extension: Extension | undefined): Pick<Certificate, "purposes"> {
  if (extension === undefined) return {};
  const items = derItems(derValue(extension.value, derTags.sequence));
  return {
    purposes: items.map((item) => {
      if (item.tag !== derTags.objectIdentifier) throw malformed("odd extended key usage");
      return derOid(item);
    }),
  };
}

function namesOf(extension: Extension | undefined): AlternativeNames {
  const items =
    extension === undefined ? [] : derItems(derValue(extension.value, derTags.sequence));
  const texts = (tag: number) => items.filter((item) => item.tag === tag).map(asciiOf);
  return {
    emails: texts(0x81),
    hosts: texts(0x82),
    uris: texts(0x86),
    addresses: items.filter(({ tag }) => tag === 0x87).map(({ content }) => content),
  };
}

function asciiOf({ content }: DerValue): string {
  if (content.some((byte) => byte >= 0x80)) throw malformed("a name that is not ASCII");
  return new TextDecoder().decode(content);
}

function malformed(what: string): Failure {
  return new Failure("corrupt", `malformed certificate: ${what}`);
}
