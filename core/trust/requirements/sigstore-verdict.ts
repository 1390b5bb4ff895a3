// Sigstore verdict: whether one of an image's signatures is what sigstoreSigned asks for.

import { digestAlgorithm } from "../../content/digest.ts";
import { parseDockerName } from "../../content/docker-name.ts";
import {
  parseSignatureBlob,
  type SignatureContent,
  type SigstoreSignature,
} from "../../content/signature-blob.ts";
import { asFailure, during, Failure } from "../../failure.ts";
import { quoted } from "../../foreign-text.ts";
import { manifestDigest } from "../../manifest/manifest.ts";
import type { TrialOutcome } from "../decision.ts";
import type { Candidate, Judging, Verdict } from "../gate.ts";
import { isAcceptedName, type SignedIdentity } from "../identity.ts";
import { parseAuthorities } from "../sigstore/authorities.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import { payloadMediaType } from "../sigstore/payload.ts";
import { parsePublicKey, type PublicKey } from "../sigstore/public-key.ts";
import { logKeysOf } from "../sigstore/rekor.ts";
import { type TrustRoot, verifySignature } from "../sigstore/signature.ts";
import { type KeySource, readKeySource } from "./key-source.ts";
import type { SigstoreRule } from "./sigstore-rule.ts";

/** Decides by the first signature that is accepted; if none is, says what is wrong with each. */
export async function decideSigstoreSigned(
  rule: SigstoreRule,
  candidate: Candidate,
  judging: Judging,
): Promise<Verdict> {
  const found = (await candidate.signatures()).map(parseSignatureBlob);
  const sigstore = found.filter((each) => each.kind === "sigstore");
  const signatures = sigstore.filter(isPayloadSigned);
  const trust =
    signatures.length === 0 ? undefined : { root: await readTrustRoot(rule), rule, candidate };
  const reasons: string[] = [];
  for (const [index, signature] of found.entries()) {
    const outcome =
      trust !== undefined && signature.kind === "sigstore" && isPayloadSigned(signature)
        ? await outcomeOf(signature, trust, judging.now)
        : ignored;
    judging.tried({ number: index + 1, form: formOf(signature), outcome });
    if (outcome.kind === "accepted") return { allowed: true };
    if (outcome.kind === "refused") reasons.push(outcome.reason);
  }
  const [only = ""] = reasons;
  switch (reasons.length) {
    case 0:
      return refused(whyNone(found.length - sigstore.length, sigstore.length));
    case 1:
      return refused(only);
  }
  return refused(`None of the signatures were accepted, reasons: ${reasons.join("; ")}`);
}

const ignored: TrialOutcome = { kind: "ignored", reason: "sigstoreSigned does not look at these" };

function isPayloadSigned({ mediaType }: SigstoreSignature): boolean {
  return mediaType === payloadMediaType;
}

function formOf(signature: SignatureContent): string {
  if (signature.kind === "simple-signing") return "simple signing";
  return isPayloadSigned(signature) ? "sigstore" : "sigstore attachment";
}

function refused(reason: string): Verdict {
  return { allowed: false, reason };
}

function whyNone(others: number, attachments: number): string {
  const none = "A signature was required, but no signature exists";
  if (others === 0 && attachments === 0) return none;
  return `${none} (${others} non-sigstore signatures, ${attachments} sigstore non-signature attachments)`;
}

interface Trust {
  readonly root: TrustRoot;
  readonly rule: SigstoreRule;
  readonly candidate: Candidate;
}

async function outcomeOf(
  signature: SigstoreSignature,
  { root, rule, candidate }: Trust,
  at: Date,
): Promise<TrialOutcome> {
  const { bytes } = await candidate.manifest();
  try {
    const { digest, reference, by } = verifySignature(signature, root, at);
    if (manifestDigest(bytes, digestAlgorithm(digest)) !== digest) {
      return { kind: "refused", reason: `Signature for digest ${digest} does not match` };
    }
    if (isAcceptedName(rule.signedIdentity, candidate.name, reference)) {
      return { kind: "accepted", by, reference };
    }
    const what = `Signature for identity ${quoted(reference)} is not accepted`;
    return { kind: "refused", reason: what + whatWouldDo(rule.signedIdentity, reference) };
  } catch (error) {
    if (error instanceof Failure) return { kind: "refused", reason: error.message };
    throw error;
  }
}

/** Cosign leaves the tag out of what it signs, and people wonder. */
function whatWouldDo({ kind }: SignedIdentity, reference: string): string {
  if (kind === "matchRepository" || kind === "exactRepository") return "";
  try {
    const { tag, digest } = parseDockerName(reference);
    if (tag !== undefined || digest !== undefined) return "";
  } catch (error) {
    if (asFailure(error).code === "usage") return "";
    throw error;
  }
  return ": it has no tag, as cosign signs, and only matchRepository or exactRepository take that";
}

async function readTrustRoot({ trust, rekorKeys }: SigstoreRule): Promise<TrustRoot> {
  const logKeys = rekorKeys && logKeysOf(await readPublicKeys(rekorKeys, "Rekor public key"));
  switch (trust.kind) {
    case "keys": {
      const keys = await readPublicKeys(trust.keys, "public key");
      return { kind: "keys", keys, ...(logKeys !== undefined && { logKeys }) };
    }
    case "fulcio": {
      const { authorities, oidcIssuer, subjectEmail } = trust;
      const roots = await readAuthorities(authorities, "CA certificates");
      // Without logs no time would be known, and so no certificate be good.
      const identity = { roots, oidcIssuer, subjectEmail };
      return { kind: "fulcio", identity, logKeys: logKeys ?? [] };
    }
    case "pki": {
      const { roots, intermediates, subjectEmail, subjectHostname } = trust;
      const identity = {
        roots: await readAuthorities(roots, "CA root certificates"),
        intermediates:
          intermediates === undefined
            ? []
            : await readAuthorities(intermediates, "CA intermediate certificates"),
        ...(subjectEmail !== undefined && { subjectEmail }),
        ...(subjectHostname !== undefined && { subjectHostname }),
      };
      return { kind: "pki", identity };
    }
  }
}

/** Reads all keys of a source; one that is unusable makes all of them unusable. */
async function readPublicKeys(source: KeySource, what: string): Promise<readonly PublicKey[]> {
  const files = await readKeySource(source);
  const keys: PublicKey[] = [];
  for (const [index, pem] of files.entries()) {
    keys.push(await during(`parsing ${what} ${index + 1}`, () => parsePublicKey(pem)));
  }
  return keys;
}

async function readAuthorities(source: KeySource, what: string): Promise<readonly Certificate[]> {
  const files = await readKeySource(source);
  return during(`parsing ${what}`, () => files.flatMap(parseAuthorities));
}
