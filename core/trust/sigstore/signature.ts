// Signature: one signature of cosign's kind, from its shape to what it says.
//
// The order is fixed: shape, cryptography, whose key it is, and only then the payload. Nothing of a
// payload reaches anybody before its signature is verified.

import type { KeyObject } from "node:crypto";

import type { SigstoreSignature } from "../../content/signature-blob.ts";
import { Failure, inContext } from "../../failure.ts";
import { bytesOf } from "../strict-json.ts";
import { parseIntermediates, parseLeaf } from "./authorities.ts";
import {
  type ClaimedCertificates,
  type FulcioIdentity,
  verifyFulcioCertificate,
} from "./fulcio.ts";
import { parsePayload, type PayloadClaim } from "./payload.ts";
import { type PkiIdentity, verifyPkiCertificate } from "./pki.ts";
import { isSignature, type PublicKey, spelledKey } from "./public-key.ts";
import { verifySet } from "./rekor.ts";

/** Who may have signed. */
export type TrustRoot =
  /** Whoever has one of these keys; and one of the logs has to have seen it, if there are any. */
  | {
      readonly kind: "keys";
      readonly keys: readonly PublicKey[];
      readonly logKeys?: readonly KeyObject[];
    }
  | {
      readonly kind: "fulcio";
      readonly identity: FulcioIdentity;
      readonly logKeys: readonly KeyObject[];
    }
  | { readonly kind: "pki"; readonly identity: PkiIdentity };

/** What cosign calls the parts of a signature. */
export const sigstoreAnnotations = {
  signature: "dev.cosignproject.cosign/signature",
  set: "dev.sigstore.cosign/bundle",
  certificate: "dev.sigstore.cosign/certificate",
  chain: "dev.sigstore.cosign/chain",
} as const;

/** What a signature says, and who vouches for that. */
export interface VerifiedPayload extends PayloadClaim {
  /** In words, for people. */
  readonly by: string;
}

/**
 * Returns what a signature says, once it is known to be of somebody trusted. `at` counts where no log
 * tells the time.
 *
 * Fails with `rejected`, `corrupt` or `config`, in the original's words.
 */
export function verifySignature(
  signature: SigstoreSignature,
  root: TrustRoot,
  at: Date,
): VerifiedPayload {
  const { payload } = signature;
  const raw = rawSignature(signature, root);
  const keys = keysFor(signature, raw, { root, at });
  const known = keys.find((key) => isSignature(key, payload, raw));
  if (known === undefined) {
    throw rejected(
      keys.length === 1
        ? "cryptographic signature verification failed: it is not of this key"
        : `cryptographic signature verification failed: it is of none of ${keys.length} keys`,
    );
  }
  return { ...parsePayload(payload), by: signerOf(root, known) };
}

function signerOf(root: TrustRoot, key: PublicKey): string {
  switch (root.kind) {
    case "keys":
      return `key ${spelledKey(key)}`;
    case "fulcio":
      return `${root.identity.subjectEmail}, known to ${root.identity.oidcIssuer}`;
    case "pki":
      return [root.identity.subjectEmail, root.identity.subjectHostname]
        .filter((name) => name !== undefined)
        .join(" at ");
  }
}

/** All that has to be there is looked for first, so that what is missing is what is said. */
function rawSignature(signature: SigstoreSignature, root: TrustRoot): Uint8Array {
  const text = annotation(signature, "signature");
  const logged = root.kind === "fulcio" || (root.kind === "keys" && root.logKeys !== undefined);
  if (logged) annotation(signature, "set");
  if (root.kind !== "keys") annotation(signature, "certificate");
  try {
    return bytesOf({ value: text, at: "" });
  } catch (error) {
    throw inContext("base64 decoding", error);
  }
}

/** Returns the keys that the signature may be of; with a certificate or a log, only one may. */
function keysFor(
  signature: SigstoreSignature,
  raw: Uint8Array,
  { root, at }: { readonly root: TrustRoot; readonly at: Date },
): readonly PublicKey[] {
  const { payload } = signature;
  switch (root.kind) {
    case "keys": {
      const { keys, logKeys } = root;
      if (logKeys === undefined) return keys;
      return [loggedKey(keys, { set: annotation(signature, "set"), payload, raw, logKeys })];
    }
    case "fulcio": {
      const set = annotation(signature, "set");
      const claimed = certificatesOf(signature);
      const logged = { verifier: claimed.leaf.bytes, signature: raw, payload };
      const time = verifySet(set, logged, root.logKeys);
      return [verifyFulcioCertificate(claimed, root.identity, time)];
    }
    case "pki":
      return [verifyPkiCertificate(certificatesOf(signature), root.identity, at)];
  }
}

interface LoggedWish {
  readonly set: string;
  readonly payload: Uint8Array;
  readonly raw: Uint8Array;
  readonly logKeys: readonly KeyObject[];
}

/** Returns the key that the log has seen the signature with. */
function loggedKey(
  keys: readonly PublicKey[],
  { set, payload, raw, logKeys }: LoggedWish,
): PublicKey {
  const reasons: string[] = [];
  for (const key of keys) {
    try {
      verifySet(set, { verifier: key.bytes, signature: raw, payload }, logKeys);
      return key;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      reasons.push(error.message);
    }
  }
  throw rejected(`No public key verified against the RekorSET: ${reasons.join(", ")}`);
}

function certificatesOf(signature: SigstoreSignature): ClaimedCertificates {
  const chain = signature.annotations[sigstoreAnnotations.chain];
  return {
    leaf: parseLeaf(annotation(signature, "certificate")),
    intermediates: chain === undefined ? [] : parseIntermediates(chain),
  };
}

function annotation(
  { annotations }: SigstoreSignature,
  part: "signature" | "set" | "certificate",
): string {
  const name = sigstoreAnnotations[part];
  const value = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  if (value === undefined) throw rejected(`missing ${name} annotation`);
  return value;
}

function rejected(why: string): Failure {
  return new Failure("rejected", why);
}
