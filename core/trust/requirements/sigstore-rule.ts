// Sigstore rule: what a sigstoreSigned requirement asks for.

import type { SignedIdentity } from "../identity.ts";
import type { KeySource } from "./key-source.ts";

/** A signature that `trust` vouches for and that gives the image a fitting name. */
export interface SigstoreRule {
  readonly trust: SigstoreTrust;
  /** Keys of transparency logs, one of which must have seen the signature; absent: none has to. */
  readonly rekorKeys?: KeySource;
  readonly signedIdentity: SignedIdentity;
}

/** Who may have signed. */
export type SigstoreTrust =
  { readonly kind: "keys"; readonly keys: KeySource } | FulcioTrust | PkiTrust;

/** Whoever an issuer knew by an e-mail address when a Fulcio server gave out the certificate. */
export interface FulcioTrust {
  readonly kind: "fulcio";
  readonly authorities: KeySource;
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

/** Whoever has a certificate from one's own authorities; it names the e-mail address, the host, or both. */
export interface PkiTrust {
  readonly kind: "pki";
  readonly roots: KeySource;
  readonly intermediates?: KeySource;
  readonly subjectEmail?: string;
  readonly subjectHostname?: string;
}
