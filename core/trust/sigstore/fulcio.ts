// Fulcio: certificates for whoever an identity provider vouched for, good for a few minutes.
//
// See https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { type Certificate, keyOf, textExtension, utf8Of } from "./certificate.ts";
import { verifyPath } from "./path.ts";
import { type PublicKey, publicKeyOf } from "./public-key.ts";

/** Whom one believes, and who is to have signed. */
export interface FulcioIdentity {
  readonly roots: readonly Certificate[];
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

/** What came with a signature. */
export interface ClaimedCertificates {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
}

const issuerId = "1.3.6.1.4.1.57264.1.1";
const issuerTextId = "1.3.6.1.4.1.57264.1.8";

/**
 * Returns the key of a certificate that was good at one moment and names this identity.
 *
 * Fails with `rejected`, in the original's words.
 */
export function verifyFulcioCertificate(
  { leaf, intermediates }: ClaimedCertificates,
  { roots, oidcIssuer, subjectEmail }: FulcioIdentity,
  at: Date,
): PublicKey {
  verifyLeafPath({ leaf, intermediates, roots, at });
  const issuer = issuerOf(leaf);
  if (issuer === undefined) {
    throw new Failure("rejected", "Fulcio certificate is missing the issuer extension");
  }
  if (issuer !== oidcIssuer) {
    throw new Failure("rejected", `Unexpected Fulcio OIDC issuer ${quoted(issuer)}`);
  }
  checkEmail(leaf, subjectEmail);
  return publicKeyOf(keyOf(leaf));
}

/** Verifies the path from a leaf to a root, in the words that the original has for it. */
export function verifyLeafPath(wish: Parameters<typeof verifyPath>[0]): void {
  try {
    verifyPath(wish);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure("rejected", `veryfing leaf certificate failed: x509: ${error.message}`);
  }
}

/** Fails with `rejected` unless a certificate names an e-mail address, to the letter. */
export function checkEmail({ names }: Certificate, email: string): void {
  if (names.emails.includes(email)) return;
  const found = names.emails.map((each) => quoted(each)).join(" ");
  throw new Failure("rejected", `Required email ${quoted(email)} not found (got [${found}])`);
}

/**
 * Returns which provider vouched for the subject, as the certificate says it; undefined if it does not.
 *
 * Fails with `rejected` if it says it in two ways that differ.
 */
export function issuerOf(certificate: Certificate): string | undefined {
  const old = certificate.extensions.get(issuerId);
  const plain = old && utf8Of(old.value);
  const text = textExtension(certificate, issuerTextId);
  if (plain !== undefined && text !== undefined && plain !== text) {
    throw new Failure(
      "rejected",
      `inconsistent OIDC issuer extension values: v1 ${quoted(plain)}, v2 ${quoted(text)}`,
    );
  }
  return text ?? plain;
}
