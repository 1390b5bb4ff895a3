// Document check: whether a signature in a file is that of a manifest in another.

import type { Digest } from "../content/digest.ts";
import { fullName, parseDockerName } from "../content/docker-name.ts";
import { parseSignatureBlob } from "../content/signature-blob.ts";
import { asFailure, Failure } from "../failure.ts";
import { quoted } from "../foreign-text.ts";
import { manifestDigest } from "../manifest/manifest.ts";
import type { KeyRing, VerifiedDocument } from "./openpgp.ts";
import { parseSimpleSigning } from "./simple-signing.ts";

/** What a signature is to be checked against. */
export interface DocumentCheck {
  readonly signature: Uint8Array;
  readonly manifest: Uint8Array;
  /** What the signature has to call the image, as the user writes it. */
  readonly reference: string;
  readonly ring: KeyRing;
  /** The keys that may have signed, in upper-case hex. */
  readonly fingerprints: readonly string[];
  readonly now: Date;
}

/** Verifies a signature, and returns which of the fingerprints it is by. Fails with `rejected`. */
export async function checkDocument(
  check: DocumentCheck,
): Promise<{ readonly fingerprint: string; readonly digest: Digest }> {
  const expected = fullName(parseDockerName(check.reference));
  const digest = manifestDigest(check.manifest);
  const content = parseSignatureBlob(check.signature);
  if (content.kind !== "simple-signing") {
    throw new Failure("unsupported", "the file holds a sigstore signature, not an OpenPGP message");
  }
  const verified = await check.ring.verify(content.message, check.now);
  const fingerprint = acceptedKey(verified, check.fingerprints);
  const payload = parseSimpleSigning(verified.document);
  if (payload.digest !== digest) {
    throw refused(`Signature for docker digest ${quoted(payload.digest)} does not match`);
  }
  const signed = nameOf(payload.reference);
  if (signed !== expected) {
    throw refused(`Docker reference ${quoted(signed)} does not match ${quoted(expected)}`);
  }
  return { fingerprint, digest };
}

function acceptedKey(
  { primaryKey, signingKey }: VerifiedDocument,
  fingerprints: readonly string[],
): string {
  const accepted = [signingKey, primaryKey].find((key) => fingerprints.includes(key));
  if (accepted !== undefined) return accepted;
  const key = signingKey === primaryKey ? primaryKey : `${signingKey} of ${primaryKey}`;
  throw refused(`signature by key ${key} is not accepted`);
}

function nameOf(reference: string): string {
  try {
    return fullName(parseDockerName(reference));
  } catch (error) {
    throw refused(
      `Invalid docker reference ${quoted(reference)} in signature: ${asFailure(error).message}`,
    );
  }
}

function refused(message: string): Failure {
  return new Failure("rejected", message);
}
