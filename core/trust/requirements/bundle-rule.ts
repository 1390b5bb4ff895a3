// Bundle rule: what a sigstoreBundle or a sigstoreAttestation requirement asks for.

import type { CertificateIdentity } from "../sigstore/certificate-identity.ts";
import type { KeySource } from "./key-source.ts";

/** A bundle by somebody, with a statement of one type about this very manifest. */
export interface BundleRule {
  readonly signers: BundleSigners;
  /** Keys of transparency logs, one of which must have seen the bundle; absent: none has to. */
  readonly rekorKeys?: KeySource;
  readonly predicateType: string;
  /** Whether the statement may be about other things, too. */
  readonly subjects: "one" | "several";
  /** What has to stand in the statement, by JSON pointers. */
  readonly assertions: ReadonlyMap<string, AssertedValue>;
}

/** What a statement may be asked to hold. */
export type AssertedValue = string | number | boolean;

/** Certificates of authorities, and those that may stand between. */
export interface AuthoritySources {
  readonly authorities: KeySource;
  readonly intermediates?: KeySource;
}

/** Who may have signed. */
export type BundleSigners =
  | { readonly kind: "keys"; readonly keys: KeySource }
  | ({
      readonly kind: "certificate";
      readonly identity: CertificateIdentity;
      /** Who must have seen the signature, too; absent: nobody has to but a log. */
      readonly timestampAuthority?: AuthoritySources;
    } & AuthoritySources);
