// Bundle check: whether a bundle is of somebody trusted, and what it then states.

import type { KeyObject } from "node:crypto";

import { Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import type { Bundle } from "./bundle.ts";
import { verifyBundledEntry } from "./bundled-entry.ts";
import { type Certificate, keyOf } from "./certificate.ts";
import { type CertificateIdentity, verifyIdentity } from "./certificate-identity.ts";
import { isSealedBy } from "./envelope.ts";
import { verifyLeafPath } from "./fulcio.ts";
import { type PublicKey, publicKeyOf, spelledKey } from "./public-key.ts";
import { type TimestampAuthority, verifyTimestamp } from "./timestamp.ts";
import { parseStatement, type Statement, statementType } from "./statement.ts";

/** Who may have signed a bundle. */
export type BundleTrust =
  /** Whoever has one of these keys; and one of the logs has to have seen it, if there are any. */
  | {
      readonly kind: "keys";
      readonly keys: readonly PublicKey[];
      readonly logKeys?: readonly KeyObject[];
    }
  /** Whoever had a certificate that says this, when a log or an authority saw the signature, or both did. */
  | {
      readonly kind: "certificate";
      readonly roots: readonly Certificate[];
      readonly between: readonly Certificate[];
      readonly identity: CertificateIdentity;
      /** One of the two is there, at least. */
      readonly logKeys?: readonly KeyObject[];
      readonly timestampAuthority?: TimestampAuthority;
    };

/** What a bundle states, and who vouches for that. */
export interface VerifiedStatement extends Statement {
  /** In words, for people. */
  readonly by: string;
}

/** Verifies a bundle, and only then reads what it states. Fails with `rejected` or `corrupt`. */
export function verifyBundle(bundle: Bundle, trust: BundleTrust): VerifiedStatement {
  const by = trust.kind === "keys" ? byKey(bundle, trust) : byCertificate(bundle, trust);
  const { payload, payloadType } = bundle.envelope;
  if (payloadType !== statementType) {
    throw rejected(`an envelope of type ${quoted(payloadType)} holds no statement`);
  }
  return { ...parseStatement(payload), by };
}

function byKey(
  { envelope, certificates, entries }: Bundle,
  { keys, logKeys }: Extract<BundleTrust, { kind: "keys" }>,
): string {
  if (certificates !== undefined) throw rejected("it is signed with a certificate, not with a key");
  const key = keys.find((each) => isSealedBy(each, envelope));
  if (key === undefined) {
    throw rejected("cryptographic signature verification failed: it is of no key that is trusted");
  }
  if (logKeys !== undefined) {
    firstVerified(entries, (entry) =>
      verifyBundledEntry(entry, { ...envelope, verifier: key.bytes }, logKeys),
    );
  }
  return `key ${spelledKey(key)}`;
}

function byCertificate(
  bundle: Bundle,
  trust: Extract<BundleTrust, { kind: "certificate" }>,
): string {
  const { envelope, certificates } = bundle;
  const { roots, between, identity } = trust;
  if (certificates === undefined) throw rejected("it is signed with a key, not with a certificate");
  const { leaf } = certificates;
  const key = publicKeyOf(keyOf(leaf));
  if (!isSealedBy(key, envelope)) {
    throw rejected("cryptographic signature verification failed: it is not of its certificate");
  }
  const intermediates = [...between, ...certificates.between];
  for (const at of timesOf(bundle, leaf, trust)) {
    verifyLeafPath({ leaf, intermediates, roots, at });
  }
  return verifyIdentity(leaf, identity);
}

/** Returns when the signature was seen, by all who are to have seen it. */
function timesOf(
  { envelope, entries, timestamps }: Bundle,
  leaf: Certificate,
  { logKeys, timestampAuthority }: Extract<BundleTrust, { kind: "certificate" }>,
): readonly Date[] {
  const times: Date[] = [];
  if (logKeys !== undefined) {
    const logged = { ...envelope, verifier: leaf.bytes };
    const at = firstVerified(entries, (entry) => {
      const time = verifyBundledEntry(entry, logged, logKeys);
      if (time !== undefined || timestampAuthority !== undefined) return time;
      throw rejected(
        "the transparency log has signed no time, and no timestamp authority is asked",
      );
    });
    if (at !== undefined) times.push(at);
  }
  if (timestampAuthority !== undefined) {
    const { signature } = envelope;
    const verified = (each: Uint8Array) => verifyTimestamp(each, signature, timestampAuthority);
    times.push(firstVerified(timestamps, verified, "no timestamp authority has seen it"));
  }
  // Without any, whether the certificate was good could not be known.
  if (times.length === 0) throw new Failure("bug", "Nobody was asked for the time");
  return times;
}

/** Returns the first result that there is; fails as the last entry did, or because there is none. */
function firstVerified<E, T>(
  entries: readonly E[],
  verifyEntry: (entry: E) => T,
  none = "no transparency log has seen it",
): T {
  let why = rejected(none);
  for (const entry of entries) {
    try {
      return verifyEntry(entry);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      why = error;
    }
  }
  throw why;
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
