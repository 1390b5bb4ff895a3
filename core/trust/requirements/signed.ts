// Deciding by signatures: one that is good is enough.

import { digestAlgorithm, type Digest } from "../../content/digest.ts";
import { parseSignatureBlob, type SignatureContent } from "../../content/signature-blob.ts";
import { parseDockerName } from "../../content/docker-name.ts";
import { asFailure, Failure } from "../../failure.ts";
import { manifestDigest } from "../../manifest/manifest.ts";
import type { TrialOutcome } from "../decision.ts";
import type { Candidate, Judging, Verdict } from "../gate.ts";
import { isAcceptedName, type SignedIdentity } from "../identity.ts";
import { bundleRemark } from "../sigstore/find-bundles.ts";
import { quoted } from "../strict-json.ts";

/** A signature as one requirement sees it. */
export interface SignatureAttempt {
  /** What it is, in words. */
  readonly form: string;
  /** Verifies it, and fails with what is wrong with it. Absent where the requirement looks at others only. */
  readonly verify?: () => Promise<VerifiedClaims>;
}

/** What a verified signature says. */
export interface VerifiedClaims {
  readonly digest: Digest;
  /** What the signature calls the image. */
  readonly reference: string;
  /** Who has signed, in words. */
  readonly by: string;
}

/** How one requirement goes about signatures. */
export interface SignatureWish {
  readonly signedIdentity: SignedIdentity;
  attempt(content: SignatureContent): SignatureAttempt;
  /** Says more of an image that has no signature of the right kind; absent: nothing. */
  readonly remark?: (contents: readonly SignatureContent[]) => string;
}

/**
 * Decides by the signatures of an image: one has to be good, for this very manifest, and under a name that
 * fits. The checks come in this order, so that nothing is said about what is in a forged signature.
 */
export async function decideBySignatures(
  candidate: Candidate,
  { tried }: Pick<Judging, "tried">,
  wish: SignatureWish,
): Promise<Verdict> {
  // One that cannot even be read keeps all from being judged, as in the original.
  const contents = (await candidate.signatures()).map(parseSignatureBlob);
  const reasons: string[] = [];
  for (const [index, content] of contents.entries()) {
    const { form, verify } = wish.attempt(content);
    const outcome = await outcomeOf(verify, candidate, wish);
    tried({ number: index + 1, form, outcome });
    if (outcome.kind === "accepted") return { allowed: true };
    if (outcome.kind === "refused") reasons.push(outcome.reason);
  }
  const [first] = reasons;
  if (first === undefined) {
    const remark = (wish.remark?.(contents) ?? "") + (await bundleRemark(candidate));
    return { allowed: false, reason: `A signature was required, but no signature exists${remark}` };
  }
  if (reasons.length === 1) return { allowed: false, reason: first };
  const reason = `None of the signatures were accepted, reasons: ${reasons.join("; ")}`;
  return { allowed: false, reason };
}

async function outcomeOf(
  verify: SignatureAttempt["verify"],
  candidate: Candidate,
  { signedIdentity }: SignatureWish,
): Promise<TrialOutcome> {
  if (verify === undefined) return { kind: "ignored", reason: "the requirement is about others" };
  try {
    const { digest, reference, by } = await verify();
    const { bytes } = await candidate.manifest();
    if (manifestDigest(bytes, digestAlgorithm(digest)) !== digest) {
      return { kind: "refused", reason: `Signature for digest ${digest} does not match` };
    }
    if (!isAcceptedName(signedIdentity, candidate.name, reference)) {
      const reason = `Signature for identity ${quoted(reference)} is not accepted`;
      return { kind: "refused", reason: reason + whatWouldDo(signedIdentity, reference) };
    }
    return { kind: "accepted", by, reference };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "canceled") throw error;
    return { kind: "refused", reason: error.message };
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
