// Authority: certificates made in a test, right or wrong as it wants them.

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

import { encodePem } from "../../core/trust/sigstore/pem.ts";
import { bitString, der, integer, oid, sequence, text, time } from "./der-bytes.ts";

/** A certificate and the key that it is about. */
export interface Issued {
  readonly bytes: Uint8Array;
  readonly pem: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
}

/** One extension: what it is, whether it is critical, and its value. */
export type WishedExtension = readonly [id: string, critical: boolean, value: Uint8Array];

/** What a certificate is to be like. */
export interface CertificateWish {
  readonly subject?: string;
  /** Absent: it signs itself. */
  readonly issuer?: Issued;
  readonly from?: Date;
  readonly to?: Date;
  readonly extensions?: readonly WishedExtension[];
  readonly version?: number;
  /** Absent: a new P-256 key. */
  readonly keys?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

/** The middle of the validity of whatever says nothing else. */
export const noon = new Date("2026-06-15T12:00:00Z");

/** Returns a moment so many minutes from noon. */
export function minutes(count: number): Date {
  return new Date(noon.getTime() + count * 60_000);
}

/** Returns a new key pair on P-256. */
export function ecKeys(curve = "P-256"): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: curve });
}

const algorithms = {
  ec: sequence(oid("1.2.840.10045.4.3.2")),
  rsa: sequence(oid("1.2.840.113549.1.1.11"), der(0x05)),
  ed25519: sequence(oid("1.3.101.112")),
};

/** Makes a certificate. */
export function certificate(wish: CertificateWish = {}): Issued {
  const { subject = "leaf", issuer, extensions = [], version = 3 } = wish;
  const { privateKey, publicKey } = wish.keys ?? ecKeys();
  const signer = issuer?.key ?? privateKey;
  const kind = signer.asymmetricKeyType === "rsa" ? "rsa" : signer.asymmetricKeyType;
  const algorithm = kind === "rsa" || kind === "ed25519" ? algorithms[kind] : algorithms.ec;
  const body = sequence(
    ...(version === 1 ? [] : [der(0xa0, integer(version - 1))]),
    integer(4711),
    algorithm,
    nameOf(issuer?.subject ?? subject),
    sequence(time(wish.from ?? minutes(-10)), time(wish.to ?? minutes(10))),
    nameOf(subject),
    publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions.map(extension)))]),
  );
  const signature = sign(kind === "ed25519" ? null : "sha256", body, signer);
  const bytes = sequence(body, algorithm, bitString(signature));
  const pem = encodePem({ label: "CERTIFICATE", bytes });
  return { bytes, pem, subject, key: privateKey, publicKey };
}

/** Makes one that may issue others. */
export function authority(subject: string, wish: CertificateWish = {}): Issued {
  return certificate({
    from: minutes(-1000),
    to: minutes(1000),
    extensions: [isAuthority(), mayCertify],
    ...wish,
    subject,
  });
}

/** Makes one such as Fulcio gives out: for an e-mail address that a provider vouched for. */
export function fulcioLeaf(
  issuer: Issued,
  { email = "jo@example.com", provider = "https://login.example.com" } = {},
  wish: CertificateWish = {},
): Issued {
  return certificate({
    issuer,
    extensions: [forCode, emailName(email), providerText(provider)],
    ...wish,
  });
}

/** The extension of an authority; `pathLength` is how many may stand below it. */
export function isAuthority(pathLength?: number, is = true): WishedExtension {
  const parts = [
    ...(is ? [der(0x01, Uint8Array.of(0xff))] : []),
    ...(pathLength === undefined ? [] : [integer(pathLength)]),
  ];
  return ["2.5.29.19", true, sequence(...parts)];
}

export const mayCertify: WishedExtension = ["2.5.29.15", true, bitString(Uint8Array.of(0x04), 2)];
export const mayOnlySign: WishedExtension = ["2.5.29.15", true, bitString(Uint8Array.of(0x80), 7)];

/** What a key is for. */
export function purposes(...ids: readonly string[]): WishedExtension {
  return ["2.5.29.37", false, sequence(...ids.map(oid))];
}

export const forCode = purposes("1.3.6.1.5.5.7.3.3");
export const forServers = purposes("1.3.6.1.5.5.7.3.1");

/** Who the subject is, as any kind of name. */
export function names(...items: readonly Uint8Array[]): WishedExtension {
  return ["2.5.29.17", true, sequence(...items)];
}

/** An e-mail address as the only name. */
export function emailName(email: string): WishedExtension {
  return names(text(0x81, email));
}

/** Who vouched for the subject, in the newer form. */
export function providerText(provider: string): WishedExtension {
  return ["1.3.6.1.4.1.57264.1.8", false, text(0x0c, provider)];
}

/** Who vouched for the subject, in the older form. */
export function providerBytes(provider: string): WishedExtension {
  return ["1.3.6.1.4.1.57264.1.1", false, new TextEncoder().encode(provider)];
}

function nameOf(common: string): Uint8Array {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), text(0x0c, common))));
}

function extension([id, critical, value]: WishedExtension): Uint8Array {
  const flag = critical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return sequence(oid(id), ...flag, der(0x04, value));
}
