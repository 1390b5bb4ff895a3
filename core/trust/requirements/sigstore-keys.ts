// Sigstore keys: whether those that sigstoreSigned wants are there and good.

import { asFailure } from "../../failure.ts";
import { expiryFinding, type KeyFinding } from "../key-finding.ts";
import { parseAuthorities } from "../sigstore/authorities.ts";
import { parsePublicKey } from "../sigstore/public-key.ts";
import { type KeySource, readKeySource, spelledSource } from "./key-source.ts";
import type { SigstoreRule } from "./sigstore-rule.ts";

/** Returns what is wrong with keys and certificates, or soon will be. */
export async function sigstoreKeyFindings(
  { trust, rekorKeys }: SigstoreRule,
  now: Date,
): Promise<readonly KeyFinding[]> {
  const logs = rekorKeys === undefined ? [] : await findingsIn(rekorKeys, keyFindings);
  const certificates = (pem: Uint8Array) => certificateFindings(pem, now);
  switch (trust.kind) {
    case "keys":
      return [...(await findingsIn(trust.keys, keyFindings)), ...logs];
    case "fulcio":
      return [...(await findingsIn(trust.authorities, certificates)), ...logs];
    case "pki": {
      const { roots, intermediates } = trust;
      const others =
        intermediates === undefined ? [] : await findingsIn(intermediates, certificates);
      return [...(await findingsIn(roots, certificates)), ...others, ...logs];
    }
  }
}

async function findingsIn(
  source: KeySource,
  look: (pem: Uint8Array) => readonly KeyFinding[],
): Promise<readonly KeyFinding[]> {
  try {
    return (await readKeySource(source)).flatMap(look);
  } catch (error) {
    const message = `${spelledSource(source)}: ${asFailure(error).message}`;
    return [{ severity: "error", message }];
  }
}

function keyFindings(pem: Uint8Array): readonly KeyFinding[] {
  parsePublicKey(pem);
  return [];
}

function certificateFindings(pem: Uint8Array, now: Date): readonly KeyFinding[] {
  return parseAuthorities(pem)
    .map(({ notAfter }, index) => expiryFinding(`certificate ${index + 1}`, notAfter, now))
    .filter((finding) => finding !== undefined);
}
