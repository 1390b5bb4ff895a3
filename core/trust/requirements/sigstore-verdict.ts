// Sigstore verdict: whether one of an image's signatures is what sigstoreSigned asks for.

import type { SignatureContent } from "../../content/signature-blob.ts";
import type { Candidate, Judging, Verdict } from "../gate.ts";
import { payloadMediaType } from "../sigstore/payload.ts";
import { logKeysOf } from "../sigstore/rekor.ts";
import { type TrustRoot, verifySignature } from "../sigstore/signature.ts";
import { decideBySignatures, type SignatureAttempt } from "./signed.ts";
import { readAuthorities, readPublicKeys } from "./trusted-keys.ts";
import type { SigstoreRule } from "./sigstore-rule.ts";

/** Decides by the first signature that is accepted; if none is, says what is wrong with each. */
export function decideSigstoreSigned(
  rule: SigstoreRule,
  candidate: Candidate,
  judging: Judging,
): Promise<Verdict> {
  let read: Promise<TrustRoot> | undefined;
  // Not before there is a signature: whoever has none is told so, whatever is wrong with the keys.
  const root = () => (read ??= readTrustRoot(rule));
  return decideBySignatures(candidate, judging, {
    signedIdentity: rule.signedIdentity,
    attempt: (content) => attempt(content, root, judging.now),
    remark: remarkOn,
  });
}

function attempt(
  content: SignatureContent,
  root: () => Promise<TrustRoot>,
  now: Date,
): SignatureAttempt {
  if (content.kind === "simple-signing") return { form: "simple signing" };
  if (content.mediaType !== payloadMediaType) return { form: "sigstore attachment" };
  return { form: "sigstore", verify: async () => verifySignature(content, await root(), now) };
}

/** What there is, where there is no signature of the right kind. */
function remarkOn(contents: readonly SignatureContent[]): string {
  const others = contents.filter(({ kind }) => kind !== "sigstore").length;
  const attachments = contents.length - others;
  if (contents.length === 0) return "";
  return ` (${others} non-sigstore signatures, ${attachments} sigstore non-signature attachments)`;
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
